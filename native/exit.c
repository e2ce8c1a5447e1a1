#define _GNU_SOURCE
#include "exit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <unistd.h>

#include "text.h"

static size_t put_record(char *record, const struct tape_exit *exit) {
  struct timespec started = {exit->started_seconds, (long)exit->started_nanos};
  struct timespec finished = {exit->finished_seconds, (long)exit->finished_nanos};
  char *to = text_put(record, "carafe-exit 1 pid=");
  to = text_number(to, (uint64_t)exit->pid);
  to = text_put(to, " code=");
  to = text_number(to, (uint64_t)exit->code);
  to = text_put(to, " signal=");
  to = text_number(to, (uint64_t)exit->signal);
  to = text_put(to, " started=");
  to = text_seconds(to, &started);
  to = text_put(to, " finished=");
  to = text_seconds(to, &finished);
  to = text_put(to, " lost=");
  to = text_number(to, exit->lost_lines);
  *to++ = '\n';
  return (size_t)(to - record);
}

int exit_write(int directory, const char *name, const struct tape_exit *exit) {
  char record[320], temporary[TAPE_MAX_NAME + 8];
  size_t bytes = put_record(record, exit);
  text_put(text_put(temporary, name), ".tmp")[0] = 0;
  int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -errno;
  ssize_t n = write(fd, record, bytes);
  int rc = n == (ssize_t)bytes ? 0 : n < 0 ? -errno : -ENOSPC;
  if (rc == 0 && renameat(directory, temporary, directory, name) < 0) rc = -errno;
  if (rc == 0) return fd;
  unlinkat(directory, temporary, 0);
  close(fd);
  return rc;
}

void exit_sync(int directory, int file) {
  fsync(file); /* EIO: nobody could do anything about it */
  fsync(directory);
  close(file);
}
