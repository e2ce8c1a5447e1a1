#define _GNU_SOURCE
#include "player.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

#include "sys.h"

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#else
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

/* What a tape may ask of clone3; the rest is the player's. */
#define CLONE_NAMESPACES                                                                                        \
  (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUSER | CLONE_NEWCGROUP | \
   CLONE_NEWTIME)

/* ---- checks: nothing of a blob is used before it passed here ---- */

/* Whether `count` things of `size` bytes fit between header and `end`, aligned. Factors are below 2^32. */
static bool fits(uint64_t offset, uint64_t count, uint64_t size, uint64_t end) {
  return offset % 8 == 0 && offset >= sizeof(struct tape_header) && offset <= end && count * size <= end - offset;
}

static bool slot_or_none(const struct tape_header *h, uint32_t slot) {
  return slot == TAPE_NONE || slot < h->slot_count;
}

/* Whether a pointer may lead to `offset`: into the data, so that no call of a tape writes into its steps. */
static bool in_data(const struct tape_header *h, uint64_t offset) {
  return offset >= h->data_offset && offset < h->total_bytes;
}

static bool name_or_none(const uint8_t *blob, const struct tape_header *h, uint32_t offset) {
  if (offset == TAPE_NONE) return true;
  return in_data(h, offset) && strlen((const char *)blob + offset) <= TAPE_MAX_NAME; /* the last byte is 0 */
}

/* Calls that would end or double the player itself instead of doing a step. */
static bool breaks_player(uint32_t call) {
  switch (call) {
    case SYS_clone:
    case SYS_clone3:
    case SYS_rt_sigreturn:
    case SYS_exit:
    case SYS_exit_group:
#ifdef SYS_fork
    case SYS_fork:
    case SYS_vfork:
#endif
      return true;
    default:
      return false;
  }
}

static bool good_step(const struct tape_header *h, const struct tape_step *s) {
  if (s->call > 0xffff || breaks_player(s->call) || s->flags > (TAPE_STEP_OR_NEXT | TAPE_STEP_EXACTLY)) return false;
  if (!slot_or_none(h, s->result) || s->tolerated_count > TAPE_MAX_TOLERATED) return false;
  for (size_t i = 0; i < TAPE_MAX_ARGS; i++) {
    if (s->kinds[i] > TAPE_ARG_SLOT) return false;
    if (s->kinds[i] == TAPE_ARG_POINTER && !in_data(h, s->args[i])) return false;
    if (s->kinds[i] == TAPE_ARG_SLOT && s->args[i] >= h->slot_count) return false;
  }
  return true;
}

static bool good_reloc(const struct tape_header *h, const struct tape_reloc *r) {
  uint32_t width = r->kind == TAPE_RELOC_POINTER ? 8 : 4;
  if (r->kind != TAPE_RELOC_POINTER && r->kind != TAPE_RELOC_SLOT) return false;
  if (!in_data(h, r->at) || h->total_bytes - r->at <= width) return false; /* the last byte stays 0 */
  return r->kind == TAPE_RELOC_POINTER ? in_data(h, r->value) : r->value < h->slot_count;
}

static bool good_plan(const uint8_t *blob, const struct tape_header *h) {
  const struct tape_plan *p = &h->plan;
  if (p->flags > (TAPE_PLAN_TERMINAL | TAPE_PLAN_STDIN_ONCE)) return false;
  const uint32_t slots[] = {p->stdin_slot,    p->stdout_slot, p->stderr_slot,
                            p->listener_slot, p->log_slot,    p->exit_slot};
  for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
    if (!slot_or_none(h, slots[i])) return false;
  if (!name_or_none(blob, h, p->title) || !name_or_none(blob, h, p->log_name) || !name_or_none(blob, h, p->exit_name))
    return false;
  if ((p->log_slot == TAPE_NONE) != (p->log_name == TAPE_NONE)) return false;
  if ((p->exit_slot == TAPE_NONE) != (p->exit_name == TAPE_NONE)) return false;
  if (p->log_slot != TAPE_NONE && (p->log_files < 1 || p->log_files > 1000)) return false;
  if (p->client_count > TAPE_MAX_CLIENTS) return false;
  if (!fits(p->clients_offset, p->client_count, sizeof(struct tape_client), h->data_offset)) return false;
  const struct tape_client *clients = (const void *)(blob + p->clients_offset);
  for (uint32_t i = 0; i < p->client_count; i++)
    if (clients[i].slot >= h->slot_count || clients[i].streams > TAPE_STREAMS) return false;
  return true;
}

static bool good_header(const struct tape_header *h, size_t bytes) {
  if (h->magic != TAPE_MAGIC || h->version != TAPE_VERSION || h->arch != THIS_ARCH) return false;
  if (h->total_bytes != bytes || h->data_offset < sizeof *h || h->data_offset >= bytes) return false;
  if (h->slot_count > TAPE_MAX_SLOTS || h->passed_count > h->slot_count) return false;
  if (!slot_or_none(h, h->cgroup_slot) || !slot_or_none(h, h->user_slot) || h->announce > 1) return false;
  if (!slot_or_none(h, h->pid_slot) || (h->pid_slot != TAPE_NONE && h->user_slot == TAPE_NONE)) return false;
  if (h->monitor_steps > TAPE_MAX_STEPS || h->child_steps > TAPE_MAX_STEPS - h->monitor_steps) return false;
  if (h->child_steps == 0 || h->reloc_count > TAPE_MAX_RELOCS) return false;
  return (h->clone_flags & ~(uint64_t)CLONE_NAMESPACES) == 0;
}

int tape_check(const uint8_t *blob, size_t bytes) {
  const struct tape_header *h = (const void *)blob;
  if (bytes < sizeof *h || bytes > TAPE_MAX_BYTES || !good_header(h, bytes) || blob[bytes - 1] != 0) return -ENOEXEC;
  uint32_t steps = h->monitor_steps + h->child_steps;
  if (!fits(h->steps_offset, steps, sizeof(struct tape_step), h->data_offset)) return -ENOEXEC;
  if (!fits(h->relocs_offset, h->reloc_count, sizeof(struct tape_reloc), h->data_offset)) return -ENOEXEC;
  if (!good_plan(blob, h)) return -ENOEXEC;
  const struct tape_step *step = (const void *)(blob + h->steps_offset);
  for (uint32_t i = 0; i < steps; i++)
    if (!good_step(h, &step[i])) return -ENOEXEC;
  const struct tape_reloc *reloc = (const void *)(blob + h->relocs_offset);
  for (uint32_t i = 0; i < h->reloc_count; i++)
    if (!good_reloc(h, &reloc[i])) return -ENOEXEC;
  return 0;
}

/* ---- taking ---- */

void tape_take(struct tape *tape, uint8_t *blob, size_t bytes) {
  tape->blob = blob;
  tape->bytes = bytes;
  tape->header = (const void *)blob;
  tape->steps = (const void *)(blob + tape->header->steps_offset);
  tape->relocs = (const void *)(blob + tape->header->relocs_offset);
  for (uint32_t slot = 0; slot < TAPE_MAX_SLOTS; slot++) tape->slots[slot] = -1;
  for (uint32_t i = 0; i < tape->header->reloc_count; i++) {
    const struct tape_reloc *reloc = &tape->relocs[i];
    uint64_t value = UINT64_MAX; /* an empty slot is -1 */
    if (reloc->kind == TAPE_RELOC_POINTER) value = (uint64_t)(uintptr_t)(blob + reloc->value);
    memcpy(blob + reloc->at, &value, reloc->kind == TAPE_RELOC_POINTER ? 8 : 4);
  }
}

void tape_fill(struct tape *tape, uint32_t slot, int fd) {
  tape->slots[slot] = fd;
  for (uint32_t i = 0; i < tape->header->reloc_count; i++)
    if (tape->relocs[i].kind == TAPE_RELOC_SLOT && tape->relocs[i].value == slot)
      memcpy(tape->blob + tape->relocs[i].at, &fd, sizeof fd);
}

int tape_open(struct tape *tape, int memfd) {
  const int sealed = F_SEAL_SHRINK | F_SEAL_WRITE; /* else it could change between check and use */
  int seals = fcntl(memfd, F_GET_SEALS);
  if (seals < 0 || (seals & sealed) != sealed) return -ENOEXEC;
  struct stat stat;
  if (fstat(memfd, &stat) < 0) return -errno;
  if (stat.st_size < (off_t)sizeof(struct tape_header) || stat.st_size > TAPE_MAX_BYTES) return -ENOEXEC;
  size_t bytes = (size_t)stat.st_size;
  void *blob = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, memfd, 0);
  if (blob == MAP_FAILED) return -errno;
  int rc = tape_check(blob, bytes);
  if (rc < 0) {
    munmap(blob, bytes);
    return rc;
  }
  tape_take(tape, blob, bytes);
  return 0;
}

const char *tape_text(const struct tape *tape, uint32_t offset) {
  return offset == TAPE_NONE ? NULL : (const char *)tape->blob + offset;
}

/* ---- playing: system calls only; vdso clock reads are none ---- */

uint64_t progress_now(const struct progress *progress) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  uint64_t now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec - progress->began;
  return now == 0 ? 1 : now;
}

static bool tolerates(const struct tape_step *step, long error) {
  for (size_t i = 0; i < step->tolerated_count; i++)
    if (step->tolerated[i] == error) return true;
  return false;
}

static long play_step(const struct tape *tape, const struct tape_step *step, struct progress *progress) {
  uint64_t args[TAPE_MAX_ARGS];
  for (size_t i = 0; i < TAPE_MAX_ARGS; i++) {
    args[i] = step->args[i];
    if (step->kinds[i] == TAPE_ARG_POINTER) args[i] += (uint64_t)(uintptr_t)tape->blob;
    if (step->kinds[i] == TAPE_ARG_SLOT) args[i] = (uint64_t)(int64_t)tape->slots[step->args[i]];
  }
  bool exec = step->call == SYS_execve || step->call == SYS_execveat;
  if (exec || step->call == SYS_seccomp) /* it would outlive the exec, and a filter may forbid to end it later */
    sys_call(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0, 0);
  if (exec) __atomic_store_n(&progress->executing, 1, __ATOMIC_RELEASE);
  long result = sys_call((long)step->call, args[0], args[1], args[2], args[3], args[4], args[5]);
  if (exec) __atomic_store_n(&progress->executing, 0, __ATOMIC_RELEASE);
  return result;
}

int tape_play(struct tape *tape, struct progress *progress, uint32_t first, uint32_t count) {
  uint32_t denied = TAPE_NONE; /* the first attempt of a search that was refused for lack of permission */
  for (uint32_t i = first; i < first + count; i++) {
    const struct tape_step *step = &tape->steps[i];
    progress->step = i;
    long result = play_step(tape, step, progress);
    long error = result < 0 ? -result : 0;
    if (error == 0 && (step->flags & TAPE_STEP_EXACTLY) != 0 && result != step->exact) error = EPIPE;
    bool or_next = (step->flags & TAPE_STEP_OR_NEXT) != 0 && i + 1 < first + count;
    if (error == EACCES && (step->flags & TAPE_STEP_OR_NEXT) != 0 && denied == TAPE_NONE) denied = i;
    if (error != 0 && !(tolerates(step, error) && (or_next || (step->flags & TAPE_STEP_OR_NEXT) == 0))) {
      if (denied != TAPE_NONE && (tolerates(step, error) || error == ENOENT || error == ENOTDIR)) {
        progress->step = denied;
        error = EACCES;
      }
      progress->error = (int32_t)error;
      return (int)-error;
    }
    if (step->result != TAPE_NONE) tape_fill(tape, step->result, error == 0 ? (int)result : -1);
    progress->marks[i] = progress_now(progress);
  }
  return 0;
}
