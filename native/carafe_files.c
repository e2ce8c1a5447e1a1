/*
 * Files of the command for the engine that runs it. Whoever gave the command opens them: with his rights, in his
 * directory, below his root, and /dev/stdin is his.
 */
#define _GNU_SOURCE
#include "carafe_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
  HANDLES = 64,
  LINKED = 0200000,                                  /* of a mode: the file has other names */
  DONE_BYTES = 4,                                    /* of an answer, before what was asked for */
  STAT_BYTES = 4 + 5 * 8,
  CAPABILITY_BYTES = 64,                             /* at most; the kernel's longest has 24 */
  ENTRY_BYTES = 2 + NAME_MAX + STAT_BYTES + 2 + PATH_MAX, /* of a listing, at most */
};

static struct {
  int handles[HANDLES]; /* a descriptor plus one; 0: free */
  uint8_t answer[CARAFE_FRAME_BYTES];
  size_t length;
  files_answer *give;
} files;

static void put_number(uint64_t number, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) files.answer[files.length++] = (uint8_t)(number >> 8 * (bytes - 1 - i));
}

static void begin(void) {
  files.length = 0;
  put_number(0, DONE_BYTES);
}

static bool give(void) { return files.give(files.answer, files.length); }

static bool give_error(int error) {
  const char *words = strerror(error);
  files.length = 0;
  put_number((uint64_t)error, DONE_BYTES);
  memcpy(files.answer + files.length, words, strlen(words));
  files.length += strlen(words);
  return give();
}

static bool give_result(int rc) {
  if (rc < 0) return give_error(errno);
  begin();
  return give();
}

static int *handle(const uint8_t *bytes, size_t length) {
  return length > 0 && bytes[0] < HANDLES && files.handles[bytes[0]] != 0 ? &files.handles[bytes[0]] : NULL;
}

/* A free place for a descriptor that the caller has; -1: there is none, and it was closed. */
static int keep(int fd) {
  for (int place = 0; place < HANDLES; place++)
    if (files.handles[place] == 0) {
      files.handles[place] = fd + 1;
      return place;
    }
  close(fd);
  errno = EMFILE;
  return -1;
}

static void let_go(int *held) {
  close(*held - 1);
  *held = 0;
}

/* Adds a piece of the file to the answer; at the end, or on failure, its handle is free. */
static bool give_piece(int *held) {
  size_t end_byte = files.length++;
  bool ended = false;
  while (!ended && files.length < sizeof files.answer) {
    ssize_t n = read(*held - 1, files.answer + files.length, sizeof files.answer - files.length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      int error = errno;
      let_go(held);
      return give_error(error);
    }
    ended = n == 0;
    files.length += (size_t)n;
  }
  files.answer[end_byte] = ended;
  if (ended) let_go(held);
  return give();
}

static bool open_file(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  int place = fd < 0 ? -1 : keep(fd);
  if (place < 0) return give_error(errno);
  begin();
  put_number((uint64_t)place, 1);
  return give_piece(&files.handles[place]);
}

/* `how` is O_EXCL or O_TRUNC. */
static bool create_file(const char *path, int how) {
  int fd = open(path, O_WRONLY | O_CREAT | how | O_CLOEXEC | O_NOCTTY, 0666);
  int place = fd < 0 ? -1 : keep(fd);
  if (place < 0) return give_error(errno);
  begin();
  put_number((uint64_t)place, 1);
  return give();
}

static bool write_file(int *held, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(*held - 1, bytes, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return give_error(errno);
    bytes += n;
    length -= (size_t)n;
  }
  return give_result(0);
}

static uint64_t nanos(const struct timespec *time) {
  return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

static void put_stat(const struct stat *stat) {
  put_number(stat->st_mode | (S_ISREG(stat->st_mode) && stat->st_nlink > 1 ? LINKED : 0), 4);
  put_number(stat->st_dev, 8);
  put_number(stat->st_ino, 8);
  put_number((uint64_t)stat->st_size, 8);
  put_number(nanos(&stat->st_mtim), 8);
  put_number(nanos(&stat->st_ctim), 8);
}

static bool stat_file(bool follow, const char *path) {
  struct stat found;
  if (fstatat(AT_FDCWD, path, &found, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0) return give_error(errno);
  begin();
  put_stat(&found);
  return give();
}

/* Adds a name with all that is known of it; one that has gone meanwhile is none. */
static bool put_entry(int directory, const char *name) {
  struct stat found;
  char target[PATH_MAX];
  if (fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT;
  ssize_t leads = S_ISLNK(found.st_mode) ? readlinkat(directory, name, target, sizeof target) : 0;
  if (leads < 0) return errno == ENOENT;
  size_t length = strlen(name);
  put_number(length, 2);
  memcpy(files.answer + files.length, name, length);
  files.length += length;
  put_stat(&found);
  put_number((uint64_t)leads, 2);
  memcpy(files.answer + files.length, target, (size_t)leads);
  files.length += (size_t)leads;
  return true;
}

static bool list_files(const char *path) {
  DIR *directory = opendir(path);
  if (directory == NULL) return give_error(errno);
  bool whole = true;
  begin();
  files.answer[files.length++] = 0;
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(directory);
    if (entry == NULL) break;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (files.length + ENTRY_BYTES > sizeof files.answer) {
      files.answer[DONE_BYTES] = 1;
      if (!give()) break;
      begin();
      files.answer[files.length++] = 0;
    }
    if (!put_entry(dirfd(directory), entry->d_name)) break;
  }
  whole = errno == 0;
  int error = errno;
  closedir(directory);
  return whole ? give() : give_error(error);
}

static bool give_capability(const char *path) {
  begin();
  ssize_t n = getxattr(path, "security.capability", files.answer + files.length, CAPABILITY_BYTES);
  if (n > 0) files.length += (size_t)n;
  return give();
}

bool files_do(const uint8_t *wish, size_t length, files_answer *answer) {
  char path[PATH_MAX];
  files.give = answer;
  if (length == 0) return false;
  uint8_t what = *wish++;
  length--;
  int *held = handle(wish, length);
  switch (what) {
    case CARAFE_FILE_READ:
      begin();
      return held == NULL ? give_error(EBADF) : give_piece(held);
    case CARAFE_FILE_CLOSE:
      if (held != NULL) let_go(held);
      return give_result(0);
    case CARAFE_FILE_WRITE:
      return held == NULL ? give_error(EBADF) : write_file(held, wish + 1, length - 1);
    default:
      break;
  }
  bool follow = what == CARAFE_FILE_STAT && length > 0 && wish[0] != 0;
  size_t before = what == CARAFE_FILE_STAT ? 1 : 0;
  if (length < before || length - before >= sizeof path) return give_error(ENAMETOOLONG);
  memcpy(path, wish + before, length - before);
  path[length - before] = 0;
  switch (what) {
    case CARAFE_FILE_OPEN: return open_file(path);
    case CARAFE_FILE_STAT: return stat_file(follow, path);
    case CARAFE_FILE_LIST: return list_files(path);
    case CARAFE_FILE_CREATE: return create_file(path, O_EXCL);
    case CARAFE_FILE_OVERWRITE: return create_file(path, O_TRUNC);
    case CARAFE_FILE_REMOVE: return give_result(unlink(path));
    case CARAFE_FILE_CAPABILITY: return give_capability(path);
    default: return give_error(ENOSYS);
  }
}
