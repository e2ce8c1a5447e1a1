/*
 * What the command and the engine that runs it say to each other. `POST CARAFE_PATH` asks for an upgrade to
 * CARAFE_UPGRADE; any answer but 101 means that the command has to run in a JVM of its own. The body is two words, each
 * ended by a byte 0: CARAFE_PROTOCOL, and the code's file as device:inode:bytes:modified (seconds.nanoseconds), which
 * has to be the engine's own. No more is told before the answer, for a socket may lead to another host.
 * Then the command describes itself in CARAFE_WORDS: where it is (its umask as four octal digits, its mount namespace as
 * the link in /proc says, its root as device:inode); which of 0, 1, 2 are terminals; rows; columns; the directory; how
 * many arguments; these; the variables.
 * Both send frames: a byte that says what it is, the length (4 bytes, big-endian), and so many bytes,
 * CARAFE_FRAME_BYTES at most. In Java: carafe.cli.warm.
 */
#ifndef CARAFE_H
#define CARAFE_H

#define CARAFE_PATH "/carafe/v1/command"
#define CARAFE_UPGRADE "carafe-command"
#define CARAFE_PROTOCOL "1"

enum { CARAFE_HEADER_BYTES = 5, CARAFE_FRAME_BYTES = 64 * 1024 };

/* From the engine. */
enum {
  CARAFE_STDOUT = 1, /* bytes for standard output */
  CARAFE_STDERR = 2,
  CARAFE_WANTED = 3, /* one CARAFE_INPUT is waited for */
  CARAFE_TAKEN = 4,  /* the command runs, and handles these signals, 8 bytes: bit n - 1 for signal n */
  CARAFE_RAW = 5,    /* a byte: 1, every key as it comes; 0, the terminal as it was */
  CARAFE_END = 6,    /* 4 bytes: the exit code */
  CARAFE_FILE = 7,   /* a byte of what is to be done, then of what: a path without 0, or a handle (a byte) */
  CARAFE_ALONE = 8,  /* a JVM of its own has to do it after all; nothing has happened until now */
};

/* What is done to files, with the command's own rights and in its own directory. Each is answered by one CARAFE_DONE. */
enum {
  CARAFE_FILE_OPEN = 1,   /* PATH, to be read; a handle, then as CARAFE_FILE_READ of it: whole already if at its end */
  CARAFE_FILE_READ = 2,   /* HANDLE; a byte: 1 at the end, which closes the handle; then bytes */
  CARAFE_FILE_CLOSE = 3,  /* HANDLE */
  CARAFE_FILE_STAT = 4,   /* a byte: 1 to follow a link; PATH; a struct of 4 + 5 * 8 bytes: mode, device, inode, bytes,
                             modified, changed (nanoseconds) */
  CARAFE_FILE_LIST = 5,   /* PATH; a byte: 1 if another CARAFE_DONE follows; names: 2 bytes of length, the name, as
                             CARAFE_FILE_STAT without following, 2 bytes of length, where a link leads */
  CARAFE_FILE_CREATE = 6, /* PATH, which must not exist; a handle */
  CARAFE_FILE_WRITE = 7,  /* HANDLE, bytes */
  CARAFE_FILE_REMOVE = 8, /* PATH */
  CARAFE_FILE_OVERWRITE = 9, /* PATH, a file that begins anew, or what is none and takes bytes; a handle */
  CARAFE_FILE_CAPABILITY = 10, /* PATH; its security.capability, nothing if it has none */
};

/* From the command. */
enum {
  CARAFE_INPUT = 1,  /* what was read of standard input; nothing at its end */
  CARAFE_SIGNAL = 2, /* a byte: the signal's number */
  CARAFE_SIZE = 3,   /* the window's rows and columns, 2 bytes each */
  CARAFE_WORDS = 5,  /* a part of its description; nothing at its end */
  CARAFE_DONE = 4,   /* 4 bytes: 0, then the answer; or an errno, then its words */
};

#endif
