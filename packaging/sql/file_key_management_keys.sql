-- SPDX-License-Identifier: GPL-2.0-only
--
-- Makes the function file_key_management_keys() of keyhold_file.so and the view sys.file_key_management_keys, which shows each
-- version of each key of a running server. What is there already stays or is made anew: this file may be run again.
--
--     mariadb < file_key_management_keys.sql
--
-- Needs MariaDB 10.6 or later with keyhold_file loaded. Not written to the binary log: replicas without the plugin could not
-- follow. Run it on each server. Privileges: INSERT and DELETE on mysql.*, CREATE VIEW and DROP on sys.*, BINLOG ADMIN.

SET @keyhold_sql_log_bin = @@SESSION.sql_log_bin;
SET SESSION sql_log_bin = 0;

CREATE FUNCTION IF NOT EXISTS file_key_management_keys RETURNS STRING SONAME 'keyhold_file.so';

-- Times are in UTC. INVOKER: the view goes on working when the account that made it is dropped.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW sys.file_key_management_keys AS
  SELECT
    KEY_ID,
    KEY_VERSION,
    KEY_BITS,
    CIPHER,
    STR_TO_DATE(CREATED_TEXT, '%Y-%m-%dT%H:%i:%sZ') AS CREATED,
    KEY_VERSION = LATEST_VERSION AS IS_LATEST,
    IF(KEY_VERSION = LATEST_VERSION, STR_TO_DATE(NEXT_ROTATION_TEXT, '%Y-%m-%dT%H:%i:%sZ'), NULL) AS NEXT_ROTATION,
    FINGERPRINT
  FROM JSON_TABLE(
    file_key_management_keys(), '$[*]' COLUMNS (
      KEY_ID INT UNSIGNED PATH '$.key_id' ERROR ON EMPTY ERROR ON ERROR,
      LATEST_VERSION INT UNSIGNED PATH '$.latest_version' ERROR ON EMPTY ERROR ON ERROR,
      NEXT_ROTATION_TEXT VARCHAR(20) PATH '$.next_rotation' ERROR ON EMPTY ERROR ON ERROR,
      NESTED PATH '$.versions[*]' COLUMNS (
        KEY_VERSION INT UNSIGNED PATH '$.version' ERROR ON EMPTY ERROR ON ERROR,
        KEY_BITS SMALLINT UNSIGNED PATH '$.bits' ERROR ON EMPTY ERROR ON ERROR,
        CIPHER VARCHAR(20) PATH '$.cipher' ERROR ON EMPTY ERROR ON ERROR,
        CREATED_TEXT VARCHAR(20) PATH '$.created' ERROR ON EMPTY ERROR ON ERROR,
        FINGERPRINT CHAR(16) PATH '$.fingerprint' ERROR ON EMPTY ERROR ON ERROR
      )
    )
  ) AS inventory;

SET SESSION sql_log_bin = @keyhold_sql_log_bin;
