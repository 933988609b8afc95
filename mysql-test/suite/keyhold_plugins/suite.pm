# SPDX-License-Identifier: GPL-2.0-only
package My::Suite::KeyholdPlugins;

@ISA= qw(My::Suite);

use strict;

return "no keyhold_example.so and keyhold_debug.so in the plugin folder; run tools/mtr"
  unless $ENV{KEYHOLD_EXAMPLE_SO} and $ENV{KEYHOLD_DEBUG_SO};

bless { };
