#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- escaping ---- */

typedef uint8_t vector __attribute__((vector_size(16)));

/* Which of 16 bytes cannot be copied as they are, as 0xff. */
static vector special(vector v) {
  return (vector)((v < 0x20) | (v > 0x7f) | (v == '"') | (v == '\\') | (v == '<') | (v == '>') | (v == '&'));
}

static bool is_special(uint8_t c) {
  return c < 0x20 || c > 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&';
}

/* Copies sixteen bytes; answers how many of them come before the first special one. */
static size_t copy_vector(char *to, const char *data) {
  vector v;
  uint64_t found[2];
  memcpy(&v, data, sizeof v);
  memcpy(to, &v, sizeof v);
  v = special(v);
  memcpy(found, &v, sizeof found);
  if (found[0] != 0) return (size_t)__builtin_ctzll(found[0]) / 8;
  return found[1] != 0 ? 8 + (size_t)__builtin_ctzll(found[1]) / 8 : sizeof v;
}

/* Copies up to the first special byte, sixteen at a time; answers how many. May write up to 15 bytes beyond. */
static size_t copy_plain(char *to, const char *data, size_t bytes) {
  size_t done = 0;
  while (bytes - done >= sizeof(vector)) {
    size_t plain = copy_vector(to + done, data + done);
    done += plain;
    if (plain < sizeof(vector)) return done;
  }
  if (done > 0 && done < bytes) { /* the last sixteen, some of them once more */
    size_t again = bytes - sizeof(vector);
    return again + copy_vector(to + again, data + again);
  }
  for (; done < bytes && !is_special((uint8_t)data[done]); done++) to[done] = data[done];
  return done;
}

static bool follows(const uint8_t *s, size_t bytes, size_t at, uint8_t low, uint8_t high) {
  return at < bytes && s[at] >= low && s[at] <= high;
}

/* Bytes of the well-formed character at `s` (RFC 3629: no surrogates, nothing overlong), 0 if there is none. */
static size_t character(const uint8_t *s, size_t bytes) {
  uint8_t c = s[0];
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return follows(s, bytes, 1, 0x80, 0xbf) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) {
    uint8_t low = c == 0xe0 ? 0xa0 : 0x80, high = c == 0xed ? 0x9f : 0xbf;
    return follows(s, bytes, 1, low, high) && follows(s, bytes, 2, 0x80, 0xbf) ? 3 : 0;
  }
  if (c >= 0xf0 && c <= 0xf4) {
    uint8_t low = c == 0xf0 ? 0x90 : 0x80, high = c == 0xf4 ? 0x8f : 0xbf;
    bool good = follows(s, bytes, 1, low, high) && follows(s, bytes, 2, 0x80, 0xbf) && follows(s, bytes, 3, 0x80, 0xbf);
    return good ? 4 : 0;
  }
  return 0;
}

static char *escape_control(char *to, uint8_t c) {
  *to++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *to++ = (char)c;
      return to;
    case '\n':
      *to++ = 'n';
      return to;
    case '\r':
      *to++ = 'r';
      return to;
    default:
      to = text_put(to, "u00");
      *to++ = "0123456789abcdef"[c >> 4];
      *to++ = "0123456789abcdef"[c & 15];
      return to;
  }
}

char *log_escape(char *to, const char *data, size_t bytes) {
  size_t at = 0;
  while (at < bytes) {
    size_t plain = copy_plain(to, data + at, bytes - at);
    to += plain;
    at += plain;
    while (at < bytes && (data[at] & 0x80) != 0) {
      const uint8_t *s = (const uint8_t *)data + at;
      size_t n = character(s, bytes - at);
      if (n == 0) {
        to = text_put(to, "\\ufffd");
        at++;
      } else if (n == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9)) {
        to = text_put(to, s[2] == 0xa8 ? "\\u2028" : "\\u2029"); /* JavaScript takes these for line ends */
        at += n;
      } else {
        for (size_t i = 0; i < n; i++) *to++ = data[at++];
      }
    }
    if (at < bytes && is_special((uint8_t)data[at])) to = escape_control(to, (uint8_t)data[at++]);
  }
  return to;
}

/* ---- the file ---- */

static void reopen(struct log *log) {
  log->file = openat(log->directory, log->name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (log->file < 0) {
    log->reason = errno;
    return;
  }
  struct stat stat;
  log->size = fstat(log->file, &stat) == 0 ? (uint64_t)stat.st_size : 0;
  char last = '\n';
  if (log->size == 0 || pread(log->file, &last, 1, (off_t)log->size - 1) != 1 || last == '\n') return;
  if (write(log->file, "\n", 1) == 1) log->size++; /* the machine stopped in the middle of a record */
}

void log_open(struct log *log, int directory, const char *name, uint64_t limit, uint32_t files) {
  log->directory = directory;
  log->file = -1;
  if (directory < 0) return;
  log->limit = limit;
  log->files = files;
  text_put(log->name, name)[0] = 0;
  reopen(log);
}

static void put_name(const struct log *log, char *to, uint32_t number) {
  to = text_put(to, log->name);
  if (number > 0) {
    *to++ = '.';
    to = text_number(to, number);
  }
  *to = 0;
}

static void rotate(struct log *log) {
  char from[TAPE_MAX_NAME + 16], to[TAPE_MAX_NAME + 16];
  put_name(log, to, log->files - 1);
  if (log->files > 1) unlinkat(log->directory, to, 0); /* a rename onto it would make ext4 write all to disk, 16 ms */
  for (uint32_t number = log->files - 1; number > 0; number--) {
    put_name(log, from, number - 1);
    put_name(log, to, number);
    renameat(log->directory, from, log->directory, to); /* ENOENT: there are fewer files yet */
  }
  if (log->files == 1) {
    if (log->file >= 0 && ftruncate(log->file, 0) == 0) log->size = 0;
    return;
  }
  if (log->file >= 0) close(log->file);
  reopen(log);
}

static uint64_t count_records(const char *data, size_t bytes) {
  uint64_t count = 0;
  for (const char *end = data + bytes; (data = memchr(data, '\n', (size_t)(end - data))) != NULL; data++) count++;
  return count;
}

/* Writes whole records or as many as there is room for; answers how many bytes are in the file now. */
static size_t append(struct log *log, const char *data, size_t bytes) {
  if (log->file < 0) reopen(log);
  if (log->file < 0) return 0;
  size_t done = 0;
  while (done < bytes) {
    ssize_t n = write(log->file, data + done, bytes - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) log->reason = errno;
    if (n <= 0) break;
    done += (size_t)n;
  }
  if (done < bytes) {
    const char *last = done > 0 ? memrchr(data, '\n', done) : NULL;
    size_t whole = last == NULL ? 0 : (size_t)(last + 1 - data);
    if (whole < done && ftruncate(log->file, (off_t)(log->size + whole)) < 0) whole = done; /* torn, then */
    done = whole;
  }
  log->size += done;
  return done;
}

/* Says in the log that records are missing; false if that cannot be written either. */
static bool confess(struct log *log) {
  char record[256 + TEXT_RFC3339_BYTES];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  char *to = text_put(record, "{\"log\":\"[carafe: ");
  to = text_number(to, log->untold);
  to = text_put(to, " lines could not be logged: ");
  to = text_put(to, log->reason == ENOSPC || log->reason == EDQUOT ? "no space left on device" : "write error ");
  if (log->reason != ENOSPC && log->reason != EDQUOT) to = text_number(to, (uint64_t)log->reason);
  to = text_put(to, "]\\n\",\"stream\":\"stderr\",\"time\":\"");
  to = text_rfc3339(&log->clock, to, &now);
  to = text_put(to, "\"}\n");
  size_t bytes = (size_t)(to - record);
  if (append(log, record, bytes) != bytes) return false;
  log->untold = 0;
  return true;
}

static void write_out(struct log *log, size_t bytes) {
  if (bytes == 0) return;
  size_t done = 0;
  if (log->untold == 0 || confess(log)) done = append(log, log->out, bytes);
  if (done == bytes) return;
  uint64_t lost = count_records(log->out + done, bytes - done);
  log->lost += lost;
  log->untold += lost;
}

void log_flush(struct log *log) {
  write_out(log, log->used);
  log->used = 0;
}

/* ---- records ---- */

/* The moment in which something came: all that counts is how its records end. */
struct moment {
  struct log_tail tail;
};

static struct moment moment_of(struct log *log, int stream, const struct timespec *time) {
  struct moment moment;
  char *to = text_put(moment.tail.text, "\",\"stream\":\"");
  to = text_put(to, stream == LOG_STDERR ? "stderr\",\"time\":\"" : "stdout\",\"time\":\"");
  to = text_rfc3339(&log->clock, to, time);
  to = text_put(to, "\"}\n");
  moment.tail.bytes = (uint32_t)(to - moment.tail.text);
  return moment;
}

static void add(struct log *log, const char *data, size_t bytes, bool whole, const struct log_tail *tail) {
  static const char head[] = "{\"log\":\"";
  if (log->used + LOG_RECORD_BYTES > LOG_OUT_BYTES) log_flush(log);
  size_t start = log->used;
  char *to = log->out + start;
  memcpy(to, head, sizeof head - 1);
  to = log_escape(to + sizeof head - 1, data, bytes);
  if (whole) {
    *to++ = '\\';
    *to++ = 'n';
  }
  memcpy(to, tail->text, sizeof tail->text); /* more than there is, because it is faster so */
  size_t record = (size_t)(to - log->out) + tail->bytes - start;
  log->used += record;
  if (log->limit > 0 && log->size + start > 0 && log->size + start + record > log->limit) {
    write_out(log, start);
    rotate(log);
    memmove(log->out, log->out + start, record);
    log->used = record;
  }
}

/* One part of a line, the last if `whole`. */
static void add_part(struct log *log, int stream, const char *data, size_t bytes, bool whole,
                     const struct moment *now) {
  struct log_line *line = &log->lines[stream];
  add(log, data, bytes, whole, line->partial ? &line->tail : &now->tail);
  if (!whole && !line->partial) line->tail = now->tail;
  line->partial = !whole;
  line->bytes = 0;
}

/* Completes the line that waits in the carry buffer as far as `data` goes; answers how many bytes it took. */
static size_t feed_carry(struct log *log, int stream, const char *data, size_t bytes, const struct moment *now) {
  struct log_line *line = &log->lines[stream];
  char *carry = log->carry[stream];
  size_t room = LOG_PART_BYTES - line->bytes;
  if (bytes > room) bytes = room;
  const char *end = memchr(data, '\n', bytes);
  size_t taken = end == NULL ? bytes : (size_t)(end - data);
  memcpy(carry + line->bytes, data, taken);
  line->bytes += (uint32_t)taken;
  if (end != NULL) {
    add_part(log, stream, carry, line->bytes, true, now);
    return taken + 1;
  }
  if (line->bytes == LOG_PART_BYTES) add_part(log, stream, carry, LOG_PART_BYTES, false, now);
  return taken;
}

void log_feed(struct log *log, int stream, const char *data, size_t bytes, const struct timespec *t) {
  if (log->directory < 0) return;
  struct moment now = moment_of(log, stream, t);
  struct log_line *line = &log->lines[stream];
  while (bytes > 0) {
    size_t taken;
    if (line->bytes > 0) {
      taken = feed_carry(log, stream, data, bytes, &now);
    } else {
      const char *end = memchr(data, '\n', bytes < LOG_PART_BYTES ? bytes : LOG_PART_BYTES);
      if (end != NULL) {
        taken = (size_t)(end - data) + 1;
        add_part(log, stream, data, taken - 1, true, &now);
      } else if (bytes >= LOG_PART_BYTES) {
        taken = LOG_PART_BYTES;
        add_part(log, stream, data, taken, false, &now);
      } else {
        taken = feed_carry(log, stream, data, bytes, &now);
      }
    }
    data += taken;
    bytes -= taken;
  }
}

void log_end(struct log *log, int stream, const struct timespec *t) {
  struct log_line *line = &log->lines[stream];
  if (log->directory < 0 || line->bytes == 0) return;
  struct moment now = moment_of(log, stream, t);
  add_part(log, stream, log->carry[stream], line->bytes, false, &now);
}

void log_shrink(struct log *log) {
  if (log->used == 0) madvise(log->out, LOG_OUT_BYTES, MADV_DONTNEED);
  for (int stream = 0; stream < LOG_STREAMS; stream++)
    if (log->lines[stream].bytes == 0) madvise(log->carry[stream], LOG_PART_BYTES, MADV_DONTNEED);
}
