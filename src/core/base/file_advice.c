/* SPDX-License-Identifier: GPL-2.0-only */
/* Why the system refused something with a file, and the next step. Everything is looked up when it
 * has failed already: another process may change it meanwhile, and then there is no advice. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "file_parts.h"

enum { LINKS_MAX = 40 /* as in the kernel */, NAME_ROOM = 33, WHO_ROOM = 64, PASSWD_ROOM = 2048 };

/* A path that is followed from the root, link by link. */
struct walk {
  char done[PATH_MAX]; /* so far, without links; "": the root */
  char left[PATH_MAX]; /* what follows */
  int links;           /* followed */
};

static const char *name_of(const char *file)
{
  return file[0] == '\0' ? "/" : file;
}

static bool has_access(const char *file, int access)
{
  return faccessat(AT_FDCWD, name_of(file), access, AT_EACCESS) == 0;
}

static bool is_refused(const char *file, int access)
{
  return !has_access(file, access) && errno == EACCES;
}

static bool get_properties(const char *file, struct statx *ret_properties)
{
  return statx(AT_FDCWD, name_of(file), 0, STATX_BASIC_STATS, ret_properties) == 0;
}

static bool has_attribute(const struct statx *properties, uint64_t attribute)
{
  return (properties->stx_attributes & attribute) != 0;
}

bool kh_file_is_mount_point(const char *path)
{
  struct statx properties;
  return get_properties(path, &properties) && has_attribute(&properties, STATX_ATTR_MOUNT_ROOT);
}

bool kh_file_make_absolute(const char *path, char *ret_path)
{
  char folder[PATH_MAX] = "";
  if (path[0] == '\0' || (path[0] != '/' && getcwd(folder, sizeof folder) == NULL))
    return false;
  while (path[0] == '.' && path[1] == '/')
    path += 1 + strspn(path + 1, "/");
  const char *slash = path[0] == '/' || strcmp(folder, "/") == 0 ? "" : "/";
  return snprintf(ret_path, PATH_MAX, "%s%s%s", folder, slash, path) < PATH_MAX;
}

kh_shown_path kh_file_show_absolute(const char *path)
{
  char absolute[PATH_MAX];
  return kh_show_path(kh_file_make_absolute(path, absolute) ? absolute : path);
}

static void leave_folder(char *path)
{
  char *slash = strrchr(path, '/');
  if (slash != NULL)
    *slash = '\0';
}

static bool take_name(struct walk *walk, char *ret_name)
{
  const char *from = walk->left + strspn(walk->left, "/");
  size_t len = strcspn(from, "/");
  if (len == 0 || len > NAME_MAX)
    return false;
  memcpy(ret_name, from, len);
  ret_name[len] = '\0';
  memmove(walk->left, from + len, strlen(from + len) + 1);
  return true;
}

/* Puts the target of a link in front of what is left. */
static bool follow_link(struct walk *walk, const char *target)
{
  char left[PATH_MAX];
  leave_folder(walk->done);
  if (target[0] == '/')
    walk->done[0] = '\0';
  if (++walk->links > LINKS_MAX ||
      snprintf(left, sizeof left, "%s/%s", target, walk->left) >= (int)sizeof left)
    return false;
  memcpy(walk->left, left, strlen(left) + 1);
  return true;
}

static bool enter(struct walk *walk, const char *name)
{
  char target[PATH_MAX];
  size_t len = strlen(walk->done);
  size_t room = sizeof walk->done - len;
  if (strcmp(name, ".") == 0)
    return true;
  if (strcmp(name, "..") == 0) {
    leave_folder(walk->done);
    return true;
  }
  if (snprintf(walk->done + len, room, "/%s", name) >= (int)room)
    return false;
  ssize_t got = readlink(walk->done, target, sizeof target - 1);
  if (got <= 0)
    return true; /* it is not a link, or does not exist */
  target[got] = '\0';
  return follow_link(walk, target);
}

/* Follows the path as far as the process may search. The last name may be missing. Returns false
 * when it does not end at a file; `is_refused` tells whether `done` is then a folder that refuses.
 */
static bool follow_path(struct walk *walk, bool *ret_refused)
{
  char name[NAME_MAX + 1];
  *ret_refused = false;
  while (take_name(walk, name)) {
    *ret_refused = is_refused(walk->done, X_OK);
    if (*ret_refused || !enter(walk, name))
      return false;
  }
  return true;
}

/* Writes "mysql", or "uid 999" for a user without a name. */
static void write_user(uid_t uid, char *ret_name)
{
  char memory[PASSWD_ROOM];
  struct passwd entry;
  struct passwd *found = NULL;
  if (getpwuid_r(uid, &entry, memory, sizeof memory, &found) == 0 && found != NULL)
    snprintf(ret_name, NAME_ROOM, "%s", found->pw_name);
  else
    snprintf(ret_name, NAME_ROOM, "uid %u", (unsigned)uid);
}

/* Writes "user mysql (uid 999)": who asked. */
static void write_asker(char *ret_who)
{
  char name[NAME_ROOM];
  write_user(geteuid(), name);
  if (strncmp(name, "uid ", 4) == 0)
    snprintf(ret_who, WHO_ROOM, "%s", name);
  else
    snprintf(ret_who, WHO_ROOM, "user %s (uid %u)", name, (unsigned)geteuid());
}

/* A path that fits into a cause. */
struct short_path {
  char text[KH_ADVICE_PATH_MAX];
};

static struct short_path show(const char *file)
{
  struct short_path path;
  kh_shown_path shown = kh_show_path_within(name_of(file), sizeof path.text);
  memcpy(path.text, shown.text, sizeof path.text);
  return path;
}

/* Where a change elsewhere is an alternative to a change here. */
static const char *alternative_to(kh_status status)
{
  return status == KH_E_FILE_LOCK || status == KH_E_FILE_WRITE
             ? ", or rotate where the file is made and use auto_reload"
             : "";
}

/* systemd puts an empty folder without any permission over what a unit must not see. */
static bool is_hidden(const struct statx *folder)
{
  return (folder->stx_mode & 07777u) == 0 && has_attribute(folder, STATX_ATTR_MOUNT_ROOT);
}

static const char *next_step(int access)
{
  if (access == X_OK)
    return "give that user search permission (x)";
  return (access & W_OK) != 0 ? "give that user write permission"
                              : "give that user read permission";
}

/* Names the user and the part of the path that refuses, if it still does. */
static bool advise_access(kh_status status, const char *file, int access, char *ret_advice)
{
  char who[WHO_ROOM];
  char owner[NAME_ROOM];
  struct statx properties;
  if (!is_refused(file, access) || !get_properties(file, &properties))
    return false;
  const char *what = access == X_OK ? "search" : (access & W_OK) != 0 ? "write" : "read";
  write_asker(who);
  write_user(properties.stx_uid, owner);
  if (is_hidden(&properties))
    snprintf(ret_advice, KH_ADVICE_MAX,
             "folder '%s' is hidden from this process, such as by ProtectHome= of its systemd "
             "unit; move the file to another folder",
             show(file).text);
  else
    snprintf(ret_advice, KH_ADVICE_MAX, "%s cannot %s %s'%s' (mode %04o, owner %s); %s%s", who,
             what, S_ISDIR(properties.stx_mode) ? "folder " : "", show(file).text,
             properties.stx_mode & 07777u, owner, next_step(access), alternative_to(status));
  return true;
}

/* The folder of the file. */
static void write_folder(const char *file, char *ret_folder)
{
  memcpy(ret_folder, file, strlen(file) + 1);
  leave_folder(ret_folder);
}

static bool write_lock_file(const char *file, char *ret_lock)
{
  return snprintf(ret_lock, PATH_MAX, "%s.lock", file) < PATH_MAX;
}

/* The permission to write it would do, but its owner is what is wrong. */
static bool advise_lock_access(const char *lock, char *ret_advice)
{
  char who[WHO_ROOM];
  char owner[NAME_ROOM];
  struct statx properties;
  if (!is_refused(lock, R_OK | W_OK) || !get_properties(lock, &properties))
    return false;
  write_asker(who);
  write_user(properties.stx_uid, owner);
  snprintf(ret_advice, KH_ADVICE_MAX,
           "%s cannot write '%s' (mode %04o, owner %s); give it the owner, group and mode of the "
           "key file (chown, chmod)",
           who, show(lock).text, properties.stx_mode & 07777u, owner);
  return true;
}

static const char *name_type(unsigned mode)
{
  if (S_ISLNK(mode))
    return "symbolic link";
  return S_ISDIR(mode) ? "folder" : "special file";
}

/* Something else has the name of the lock file. */
static void advise_lock_type(const char *file, char *ret_advice)
{
  char lock[PATH_MAX];
  struct stat st;
  if (write_lock_file(file, lock) && lstat(lock, &st) == 0 && !S_ISREG(st.st_mode))
    snprintf(ret_advice, KH_ADVICE_MAX, "'%s' is a %s, not a lock file; remove it", show(lock).text,
             name_type(st.st_mode));
}

/* What the operation needs in the end, beside the way to it. */
static bool advise_last_access(kh_status status, const char *file, char *ret_advice)
{
  char other[PATH_MAX];
  write_folder(file, other);
  if (status == KH_E_FILE_WRITE || status == KH_E_FILE_CREATE)
    return advise_access(status, other, R_OK | W_OK | X_OK, ret_advice);
  if (status == KH_E_FILE_WATCH)
    return advise_access(status, other, R_OK, ret_advice);
  if (status != KH_E_FILE_LOCK)
    return advise_access(status, file, R_OK, ret_advice);
  if (advise_access(status, other, W_OK | X_OK, ret_advice))
    return true;
  return write_lock_file(file, other) && advise_lock_access(other, ret_advice);
}

static void advise_permissions(kh_status status, const struct walk *walk, bool is_arrived,
                               char *ret_advice)
{
  bool is_found = is_arrived ? advise_last_access(status, walk->done, ret_advice)
                             : advise_access(status, walk->done, X_OK, ret_advice);
  if (!is_found && is_arrived)
    snprintf(ret_advice, KH_ADVICE_MAX,
             "the permissions of the file and of its folders allow it; check AppArmor or SELinux "
             "in the system log");
}

static void advise_read_only(kh_status status, const char *file, char *ret_advice)
{
  char folder[PATH_MAX];
  char mount[PATH_MAX];
  struct statvfs system;
  write_folder(file, folder);
  if (statvfs(name_of(folder), &system) != 0 || (system.f_flag & ST_RDONLY) == 0)
    return; /* it is writable again */
  memcpy(mount, folder, sizeof mount);
  while (mount[0] != '\0' && !kh_file_is_mount_point(mount))
    leave_folder(mount);
  snprintf(ret_advice, KH_ADVICE_MAX,
           "folder '%s' must be writable, and the mount on '%s' is read-only; make it writable "
           "(in a systemd unit: ReadWritePaths=)%s",
           show(folder).text, show(mount).text, alternative_to(status));
}

static bool is_unchangeable(const char *file)
{
  struct statx properties;
  return get_properties(file, &properties) &&
         has_attribute(&properties, STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND);
}

/* Whether only the owner of a file in the folder can replace it. */
static bool is_sticky_for(const char *folder, const char *file)
{
  struct statx above;
  struct statx below;
  return get_properties(folder, &above) && get_properties(file, &below) &&
         (above.stx_mode & S_ISVTX) != 0 && above.stx_uid != geteuid() &&
         below.stx_uid != geteuid();
}

/* Names the temporary file of a killed process, which only its owner can remove. */
static bool advise_leftover(const char *folder, const char *file, char *ret_advice)
{
  char left[PATH_MAX];
  char owner[NAME_ROOM];
  struct statx properties;
  const char *name = strrchr(file, '/');
  if (name == NULL ||
      snprintf(left, sizeof left, "%s/.%s.keyhold-new", folder, name + 1) >= (int)sizeof left ||
      !is_sticky_for(folder, left) || !get_properties(left, &properties))
    return false;
  write_user(properties.stx_uid, owner);
  snprintf(ret_advice, KH_ADVICE_MAX,
           "'%s' was left by a process of user %s, and folder '%s' is sticky; remove it as root",
           show(left).text, owner, show(folder).text);
  return true;
}

static void advise_owner(const struct statx *file, const char *who, char *ret_advice)
{
  char owner[NAME_ROOM];
  write_user(file->stx_uid, owner);
  if (file->stx_uid == geteuid())
    snprintf(ret_advice, KH_ADVICE_MAX,
             "%s owns the file, but is not in its group %u; give the file a group of that user "
             "(chgrp)",
             who, file->stx_gid);
  else
    snprintf(ret_advice, KH_ADVICE_MAX,
             "%s cannot give a file to owner %s and group %u; run as root or as the file's owner",
             who, owner, file->stx_gid);
}

static void advise_ownership(kh_status status, const char *file, char *ret_advice)
{
  char folder[PATH_MAX];
  char who[WHO_ROOM];
  struct statx properties;
  write_folder(file, folder);
  write_asker(who);
  if (is_unchangeable(folder) || is_unchangeable(file))
    snprintf(ret_advice, KH_ADVICE_MAX,
             "'%s' is immutable or append-only; remove that attribute: chattr -i -a",
             show(is_unchangeable(folder) ? folder : file).text);
  else if (status == KH_E_FILE_WRITE && advise_leftover(folder, file, ret_advice))
    return;
  else if (status == KH_E_FILE_WRITE && is_sticky_for(folder, file))
    snprintf(ret_advice, KH_ADVICE_MAX,
             "folder '%s' is sticky, and %s owns neither the file nor the folder; run as root or "
             "as the file's owner",
             show(folder).text, who);
  else if (status == KH_E_FILE_OWNER && get_properties(file, &properties))
    advise_owner(&properties, who, ret_advice);
}

static void advise(kh_status status, const char *path, int os_error, char *ret_advice)
{
  struct walk walk = {.links = 0};
  bool is_refusing = false;
  if (!kh_file_make_absolute(path, walk.left))
    return;
  bool is_arrived = follow_path(&walk, &is_refusing);
  bool replaces =
      status == KH_E_FILE_LOCK || status == KH_E_FILE_WRITE || status == KH_E_FILE_OWNER;
  if (is_arrived && replaces && kh_file_is_mount_point(walk.done))
    snprintf(ret_advice, KH_ADVICE_MAX,
             "the file itself is a mount point, which cannot be replaced; mount its folder "
             "instead: writable to rotate here, or read-only to rotate where the file is made and "
             "use auto_reload");
  else if (os_error == EACCES && (is_arrived || is_refusing))
    advise_permissions(status, &walk, is_arrived, ret_advice);
  else if (os_error == EROFS && is_arrived)
    advise_read_only(status, walk.done, ret_advice);
  else if (os_error == EPERM && is_arrived)
    advise_ownership(status, walk.done, ret_advice);
  else if (status == KH_E_FILE_LOCK && is_arrived)
    advise_lock_type(walk.done, ret_advice);
}

/* The server's own plugin shows such a name as it was written. */
static void advise_relative(char *ret_advice)
{
  char folder[PATH_MAX];
  if (getcwd(folder, sizeof folder) != NULL)
    snprintf(ret_advice, KH_ADVICE_MAX, "a relative path starts at '%s'",
             kh_show_path(folder).text);
}

kh_status kh_file_fail(kh_fault *ret_fault, kh_status status, const char *path, int os_error)
{
  kh_fault_set(ret_fault, status, path, os_error);
  if (ret_fault == NULL)
    return status;
  if (status == KH_E_FILE_NOT_FOUND && path[0] != '/') {
    advise_relative(ret_fault->advice);
    return status;
  }
  ret_fault->path = kh_file_show_absolute(path);
  if (os_error == EACCES || os_error == EPERM || os_error == EROFS || os_error == EBUSY ||
      status == KH_E_FILE_LOCK)
    advise(status, path, os_error, ret_fault->advice);
  return status;
}
