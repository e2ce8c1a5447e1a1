/*
 * What the command and the engine that runs it say to each other. `POST CARAFE_PATH` asks for an upgrade to
 * CARAFE_UPGRADE; any answer but 101 means that the command has to run in a JVM of its own. The body is words, each
 * ended by a byte 0: CARAFE_PROTOCOL; what has to be the engine's own, too: the code's file as
 * device:inode:bytes:modified (seconds.nanoseconds), the umask (four octal digits), the mount namespace as its link in
 * /proc says, the root as device:inode; which of 0, 1, 2 are terminals; rows; columns; the directory; how many
 * arguments; these; then the variables.
 * Afterwards both send frames: a byte that says what it is, the length (4 bytes, big-endian), and so many bytes,
 * 64 KiB at most. In Java: carafe.cli.warm.
 */
#ifndef CARAFE_COMMAND_H
#define CARAFE_COMMAND_H

#define CARAFE_PATH "/carafe/v1/command"
#define CARAFE_UPGRADE "carafe-command"
#define CARAFE_PROTOCOL "1"

enum { CARAFE_HEADER_BYTES = 5 };

/* From the engine. */
enum {
  CARAFE_STDOUT = 1, /* bytes for standard output */
  CARAFE_STDERR = 2,
  CARAFE_WANTED = 3, /* one CARAFE_INPUT is waited for */
  CARAFE_TAKEN = 4,  /* the signals that are handled, 8 bytes: bit n - 1 for signal n; the others do what they do */
  CARAFE_RAW = 5,    /* a byte: 1, every key as it comes; 0, the terminal as it was */
  CARAFE_END = 6,    /* 4 bytes: the exit code */
};

/* From the command. */
enum {
  CARAFE_INPUT = 1,  /* what was read of standard input; nothing at its end */
  CARAFE_SIGNAL = 2, /* a byte: the signal's number */
  CARAFE_SIZE = 3,   /* the window's rows and columns, 2 bytes each */
};

#endif
