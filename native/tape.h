/*
 * The whole contract between Java (room `kernel`) and the native processes: the tape's blob, the messages of the
 * spawner link, the protocol of a monitor's socket. Fixed width, little-endian, offsets from the blob's start, never
 * pointers. Any change to a layout bumps TAPE_VERSION. `make layout` prints every size, offset and number below, and a
 * Java test compares them with TapeFormat.
 */
#ifndef CARAFE_TAPE_H
#define CARAFE_TAPE_H

#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tapes are little-endian and not converted"
#endif

enum {
  TAPE_MAGIC = 0x50415443, /* "CTAP" */
  TAPE_VERSION = 3,
  TAPE_MAX_BYTES = 16 << 20,
  TAPE_MAX_STEPS = 1024,
  TAPE_MAX_SLOTS = 240, /* all may be passed in one message: SCM_MAX_FD is 253 */
  TAPE_MAX_ARGS = 6,
  TAPE_MAX_TOLERATED = 8,
  TAPE_MAX_RELOCS = 1 << 18, /* one per argument and environment string */
  TAPE_MAX_CLIENTS = 64,     /* passed with a tape */
  TAPE_MAX_NAME = 200,       /* bytes of a file name or title, without its NUL */
  TAPE_FIXED_FDS = 32,       /* descriptors below are the tape's to choose with dup3 */
};
#define TAPE_NONE 0xffffffffu

/* What an argument's number means. */
enum { TAPE_ARG_VALUE = 0, TAPE_ARG_POINTER = 1, TAPE_ARG_SLOT = 2 };

enum {
  TAPE_STEP_OR_NEXT = 1, /* a tolerated failure makes the next step try the same */
  TAPE_STEP_EXACTLY = 2,   /* any other result than `exact` is the failure EPIPE */
};

struct tape_step {
  uint32_t call; /* system call number of this machine */
  uint32_t flags;
  uint32_t result; /* slot, or TAPE_NONE */
  uint8_t kinds[TAPE_MAX_ARGS];
  uint8_t tolerated_count;
  uint8_t zero;
  uint16_t tolerated[TAPE_MAX_TOLERATED];
  uint32_t zero2;
  int64_t exact;
  uint64_t args[TAPE_MAX_ARGS];
};
_Static_assert(sizeof(struct tape_step) == 96, "layout");
_Static_assert(offsetof(struct tape_step, args) == 48, "layout");

/* A place in the data to fill: POINTER, 8 bytes, once; SLOT, 4 bytes, whenever the slot gets a descriptor. */
enum { TAPE_RELOC_POINTER = 1, TAPE_RELOC_SLOT = 2 };

struct tape_reloc {
  uint32_t at;
  uint32_t kind;
  uint32_t value; /* offset or slot */
  uint32_t zero;
};
_Static_assert(sizeof(struct tape_reloc) == 16, "layout");

enum { TAPE_STDIN = 1, TAPE_STDOUT = 2, TAPE_STDERR = 4, TAPE_STREAMS = 7 };

struct tape_client {
  uint32_t slot;
  uint32_t streams;
};
_Static_assert(sizeof(struct tape_client) == 8, "layout");

enum {
  TAPE_PLAN_TERMINAL = 1,   /* stdout (and stdin, if any) is the master of a terminal */
  TAPE_PLAN_STDIN_ONCE = 2, /* the first client of stdin that ends, ends it */
};

/* What the monitor does once the process runs. Slots or TAPE_NONE; names are offsets of NUL-terminated strings. */
struct tape_plan {
  uint32_t flags;
  uint32_t title;
  uint32_t stdin_slot, stdout_slot, stderr_slot;
  uint32_t listener_slot;
  uint32_t clients_offset, client_count;
  uint32_t log_slot, log_name, log_files;
  uint32_t exit_slot, exit_name;
  uint32_t zero;
  uint64_t log_bytes; /* per file; 0: no limit */
};
_Static_assert(sizeof(struct tape_plan) == 64, "layout");

/* Then the steps (the monitor's first), the relocations, the clients, the data, whose last byte is 0. */
struct tape_header {
  uint32_t magic, version;
  uint32_t total_bytes;
  uint32_t arch; /* AUDIT_ARCH_* */
  uint64_t clone_flags;
  uint32_t cgroup_slot; /* for CLONE_INTO_CGROUP, or TAPE_NONE */
  uint32_t slot_count;
  uint32_t passed_count; /* slots 0 .. passed_count-1 take the descriptors that came along, in order */
  uint32_t announce;     /* 1: report CLONED while the process still plays */
  uint32_t monitor_steps, child_steps;
  uint32_t steps_offset;
  uint32_t relocs_offset, reloc_count;
  uint32_t data_offset;
  uint64_t keep[4]; /* bit n: slot n stays open in the monitor */
  struct tape_plan plan;
  uint32_t user_slot; /* the user namespace that owns what clone3 makes, or TAPE_NONE: the monitor's */
  uint32_t pid_slot;  /* the pid namespace, of those users, that the process is born in, or TAPE_NONE */
};
_Static_assert(sizeof(struct tape_header) == 168, "layout");
_Static_assert(offsetof(struct tape_header, keep) == 64, "layout");
_Static_assert(offsetof(struct tape_header, plan) == 96, "layout");

/* The link: a request on the control socket, with descriptors: the sealed memfd of the blob, then those passed. */
struct tape_request {
  uint32_t magic, version;
  uint64_t id;
};
_Static_assert(sizeof(struct tape_request) == 16, "layout");

/* Answers on the report socket, all by one process or another, tagged with the request's id. */
enum {
  TAPE_FORKED = 1,  /* pid of the monitor; with its pidfd */
  TAPE_CLONED = 2,  /* pid of the process; with its pidfd; only if announced */
  TAPE_RUNNING = 3, /* the program runs: pid; with its pidfd, if not announced; `count` marks follow */
  TAPE_FAILED = 4,  /* nothing is left: step (or one of below) and error, or the signal that killed */
  TAPE_EXITED = 5,  /* a struct tape_exit follows */
};
enum {
  TAPE_AT_FORK = 0x10000,  /* the spawner could not fork */
  TAPE_AT_BLOB = 0x10001,  /* the player refused the blob */
  TAPE_AT_CLONE = 0x10002, /* clone3 failed */
};

struct tape_report {
  uint32_t kind;
  uint32_t step;
  uint64_t id;
  int32_t pid;
  int32_t error;
  int32_t signal;
  uint32_t count;
  int64_t seconds; /* RUNNING: when, since the epoch */
  uint32_t nanos;
  uint32_t zero;
};
_Static_assert(sizeof(struct tape_report) == 48, "layout");

/* Marks: nanoseconds since the monitor began; first the moment each step ended (0: not played), then these. */
enum { TAPE_MARK_CLONE = 0, TAPE_MARK_CLONED = 1, TAPE_MARK_CHILD = 2, TAPE_MARK_RUNNING = 3, TAPE_MARKS = 4 };

struct tape_exit {
  int32_t pid;
  int32_t code;   /* 128 + signal if one killed it */
  int32_t signal; /* or 0 */
  uint32_t started_nanos, finished_nanos;
  uint32_t zero;
  int64_t started_seconds, finished_seconds;
  uint64_t lost_lines; /* that could not be logged */
};
_Static_assert(sizeof(struct tape_exit) == 48, "layout");

/* A monitor's socket: a hello, an answer; then ATTACH: the streams; WATCH: struct tape_exit, some day. */
enum { TAPE_ATTACH = 1, TAPE_RESIZE = 2, TAPE_STATE = 3, TAPE_WATCH = 4 };

struct tape_hello {
  uint32_t magic;
  uint16_t kind;
  uint16_t streams;
  uint16_t rows, columns;
  uint32_t zero;
};
_Static_assert(sizeof(struct tape_hello) == 16, "layout");

struct tape_answer {
  uint32_t magic;
  int32_t error;
};
_Static_assert(sizeof(struct tape_answer) == 8, "layout");

/* Follows the answer to STATE. */
struct tape_state {
  int32_t monitor_pid;
  int32_t pid;
  int64_t started_seconds;
  uint32_t started_nanos;
  uint32_t clients;
  uint64_t lost_lines;
};
_Static_assert(sizeof(struct tape_state) == 32, "layout");

#endif
