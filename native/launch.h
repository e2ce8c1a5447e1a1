/* A monitor's first life, from the request until the program runs. */
#ifndef CARAFE_LAUNCH_H
#define CARAFE_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

#include "tape.h"

/* What the spawner's fork hands over. Descriptors: the tape's memfd, then those for its slots. */
struct launch {
  int reports; /* the link's report socket */
  int proc;    /* the host's /proc, for our own files in it */
  uint64_t id;
  char *title; /* where ps(1) finds our command line */
  size_t title_bytes;
  int count;
  int fds[TAPE_MAX_SLOTS + 1];
};

_Noreturn void launch(struct launch *launch);

#endif
