-- SPDX-License-Identifier: GPL-2.0-only
--
-- Drops what file_key_management_keys.sql made; may be run again, and without the plugin.

SET @keyhold_sql_log_bin = @@SESSION.sql_log_bin;
SET SESSION sql_log_bin = 0;

DROP VIEW IF EXISTS sys.file_key_management_keys;
DROP FUNCTION IF EXISTS file_key_management_keys;

SET SESSION sql_log_bin = @keyhold_sql_log_bin;
