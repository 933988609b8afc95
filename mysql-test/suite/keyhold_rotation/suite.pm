# SPDX-License-Identifier: GPL-2.0-only
package My::Suite::KeyholdRotation;

@ISA= qw(My::Suite);

use strict;

return "no keyhold_file.so in the plugin folder; run tools/mtr" unless $ENV{KEYHOLD_FILE_SO};

bless { };
