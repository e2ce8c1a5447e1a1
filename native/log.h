/*
 * The log of a container in Docker's json-file format. A line of output is one record; a line longer than 16 KiB is
 * several, all but the last without a final \n in "log". Bytes that end in no newline wait (at most 16 KiB of each
 * stream) until the line is whole or the stream ends. All lines of one read carry one time; the parts of a long line
 * carry that of its first.
 *
 * The container never waits for the disk to have room: when writing fails, records are counted and dropped, and the
 * first one that can be written again is preceded by a record on stderr that says how many are missing. A record is in
 * the file whole or not at all.
 */
#ifndef CARAFE_LOG_H
#define CARAFE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "tape.h"
#include "text.h"

enum {
  LOG_PART_BYTES = 16 * 1024,
  LOG_OUT_BYTES = 256 * 1024,
  LOG_RECORD_BYTES = 6 * LOG_PART_BYTES + 256, /* at most: every byte as \u00xx */
};

enum { LOG_STDOUT = 0, LOG_STDERR = 1, LOG_STREAMS = 2 };

/* How all records of one stream at one moment end: `","stream":"stdout","time":"…"}` and a newline. */
struct log_tail {
  uint32_t bytes;
  char text[24 + 10 + TEXT_RFC3339_BYTES];
};

/* The beginning of a line whose end has not come. */
struct log_line {
  uint32_t bytes;
  bool partial; /* parts of it are written already, ending like this: */
  struct log_tail tail;
};

struct log {
  int directory; /* -1: there is no log */
  int file;      /* -1: not open (yet, or any more) */
  uint32_t files;
  uint64_t limit; /* bytes per file, 0: none */
  uint64_t size;
  uint64_t lost; /* records dropped in all */
  uint64_t untold; /* of these, not yet mentioned in the log */
  int reason;      /* errno of the last failure */
  struct text_clock clock;
  size_t used; /* of `out` */
  struct log_line lines[LOG_STREAMS];
  char name[TAPE_MAX_NAME + 1];
  _Alignas(4096) char out[LOG_OUT_BYTES];
  _Alignas(4096) char carry[LOG_STREAMS][LOG_PART_BYTES];
};

/* `directory` -1: nothing will be logged. Opens the file. */
void log_open(struct log *log, int directory, const char *name, uint64_t limit, uint32_t files);

/* Takes `bytes` that the process wrote at `now`. */
void log_feed(struct log *log, int stream, const char *data, size_t bytes, const struct timespec *now);

/* Writes what was taken, except lines without an end. */
void log_flush(struct log *log);

/* No more will come from `stream`: its last line is whole as it is. */
void log_end(struct log *log, int stream, const struct timespec *now);

/* The inside of a JSON string exactly as Docker writes it; `to` must have room for six times `bytes`. */
char *log_escape(char *to, const char *data, size_t bytes);

/* Gives idle buffers back to the system. */
void log_shrink(struct log *log);

#endif
