/* System calls as the kernel has them: negative errno, no cancellation points, no errno variable, no libc state. */
#ifndef CARAFE_SYS_H
#define CARAFE_SYS_H

#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static inline long sys_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
  long result;
  register uint64_t r10 __asm__("r10") = d;
  register uint64_t r8 __asm__("r8") = e;
  register uint64_t r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static inline long sys_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
  register uint64_t x8 __asm__("x8") = (uint64_t)number;
  register uint64_t x0 __asm__("x0") = a;
  register uint64_t x1 __asm__("x1") = b;
  register uint64_t x2 __asm__("x2") = c;
  register uint64_t x3 __asm__("x3") = d;
  register uint64_t x4 __asm__("x4") = e;
  register uint64_t x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return (long)x0;
}
#else
#error "no system calls for this machine"
#endif

/* clone3(2)'s argument; the header's may be older than the kernel. */
struct sys_clone {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

/* Like fork: 0 in the child, its pid in the parent, or -errno. `pidfd` is filled in the parent. */
static inline long sys_clone3(uint64_t flags, int *pidfd, int exit_signal, int cgroup) {
  struct sys_clone args = {.flags = flags | 0x1000 /* CLONE_PIDFD */,
                           .pidfd = (uint64_t)(uintptr_t)pidfd,
                           .exit_signal = (uint64_t)exit_signal,
                           .cgroup = cgroup < 0 ? 0 : (uint64_t)cgroup};
  return sys_call(SYS_clone3, (uint64_t)(uintptr_t)&args, sizeof args, 0, 0, 0, 0);
}

#endif
