/* A tape in memory: checked, relocated, played. */
#ifndef CARAFE_PLAYER_H
#define CARAFE_PLAYER_H

#include <stddef.h>
#include <stdint.h>

#include "tape.h"

struct tape {
  uint8_t *blob;
  size_t bytes;
  const struct tape_header *header;
  const struct tape_step *steps;
  const struct tape_reloc *relocs;
  int slots[TAPE_MAX_SLOTS];
};

/* Seen by monitor and process at once, because it is a shared mapping. */
struct progress {
  uint64_t began;      /* nanoseconds of CLOCK_MONOTONIC */
  uint32_t step;       /* being played */
  uint32_t executing;  /* in execve: if the process is gone, it may be because it is another now */
  int32_t error;       /* of the step that failed, which is `step` then; 0: none has */
  uint32_t steps;
  uint64_t marks[];    /* `steps` and then TAPE_MARKS */
};

/* Nanoseconds since `began`, never 0. */
uint64_t progress_now(const struct progress *progress);

/* Checks every bound of a blob that nobody else can change. 0, or -ENOEXEC. */
int tape_check(const uint8_t *blob, size_t bytes);

/* Takes a checked blob, fills in its pointers and empties its slots. */
void tape_take(struct tape *tape, uint8_t *blob, size_t bytes);

/* Puts a descriptor (or -1) into a slot and wherever the tape wants to have it. */
void tape_fill(struct tape *tape, uint32_t slot, int fd);

/* Maps a sealed memfd and takes it. 0, -ENOEXEC, or another -errno. */
int tape_open(struct tape *tape, int memfd);

/* The string at `offset`, or NULL for TAPE_NONE. */
const char *tape_text(const struct tape *tape, uint32_t offset);

/* Plays `count` steps from `first` on; only system calls. 0, or -errno with `progress` saying where. */
int tape_play(struct tape *tape, struct progress *progress, uint32_t first, uint32_t count);

#endif
