/*
 * Tells the capabilities of files, which Java cannot ask for: reads paths, each ended by a byte 0, from standard input and
 * answers each on standard output with one byte, how long its security.capability is, and that. 0: it has none, or is not
 * there. Does nothing else to the system: getxattr(2), read, write. Ends with its standard input.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MOST_BYTES = 64 }; /* of a capability; the kernel's longest has 24 */

static struct {
  uint8_t bytes[1 << 16];
  size_t length;
} answers;

static bool flush(void) {
  for (size_t at = 0; at < answers.length;) {
    ssize_t n = write(1, answers.bytes + at, answers.length - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    at += (size_t)n;
  }
  answers.length = 0;
  return true;
}

static bool answer(const char *path) {
  if (answers.length + 1 + MOST_BYTES > sizeof answers.bytes && !flush()) return false;
  ssize_t n = getxattr(path, "security.capability", answers.bytes + answers.length + 1, MOST_BYTES);
  answers.bytes[answers.length] = (uint8_t)(n < 0 ? 0 : n);
  answers.length += 1 + (size_t)(n < 0 ? 0 : n);
  return true;
}

int main(void) {
  static char paths[1 << 16];
  size_t filled = 0;
  for (;;) {
    ssize_t n = read(0, paths + filled, sizeof paths - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0 && filled == 0 ? 0 : 1;
    filled += (size_t)n;
    size_t at = 0;
    for (char *end; (end = memchr(paths + at, 0, filled - at)) != NULL; at = (size_t)(end - paths) + 1)
      if (!answer(paths + at)) return 1;
    memmove(paths, paths + at, filled - at);
    filled -= at;
    if (filled > PATH_MAX || !flush()) return 1;
  }
}
