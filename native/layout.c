/* Prints what Java repeats of tape.h, one "NAME value" per line; a Java test compares them. */
#include <stdio.h>

#include "tape.h"

#define NUMBER(name) printf("%s %lld\n", #name, (long long)(name))
#define SIZE(type) printf("sizeof(%s) %zu\n", #type, sizeof(struct type))
#define FIELD(type, field) printf("%s.%s %zu\n", #type, #field, offsetof(struct type, field))

static void numbers(void) {
  NUMBER(TAPE_MAGIC);
  NUMBER(TAPE_VERSION);
  NUMBER(TAPE_MAX_BYTES);
  NUMBER(TAPE_MAX_STEPS);
  NUMBER(TAPE_MAX_SLOTS);
  NUMBER(TAPE_MAX_ARGS);
  NUMBER(TAPE_MAX_TOLERATED);
  NUMBER(TAPE_MAX_RELOCS);
  NUMBER(TAPE_MAX_CLIENTS);
  NUMBER(TAPE_MAX_NAME);
  NUMBER(TAPE_NONE);
  NUMBER(TAPE_ARG_VALUE);
  NUMBER(TAPE_ARG_POINTER);
  NUMBER(TAPE_ARG_SLOT);
  NUMBER(TAPE_STEP_OR_NEXT);
  NUMBER(TAPE_STEP_EXACTLY);
  NUMBER(TAPE_RELOC_POINTER);
  NUMBER(TAPE_RELOC_SLOT);
  NUMBER(TAPE_STDIN);
  NUMBER(TAPE_STDOUT);
  NUMBER(TAPE_STDERR);
  NUMBER(TAPE_STREAMS);
  NUMBER(TAPE_PLAN_TERMINAL);
  NUMBER(TAPE_PLAN_STDIN_ONCE);
  NUMBER(TAPE_FORKED);
  NUMBER(TAPE_CLONED);
  NUMBER(TAPE_RUNNING);
  NUMBER(TAPE_FAILED);
  NUMBER(TAPE_EXITED);
  NUMBER(TAPE_AT_FORK);
  NUMBER(TAPE_AT_BLOB);
  NUMBER(TAPE_AT_CLONE);
  NUMBER(TAPE_MARK_CLONE);
  NUMBER(TAPE_MARK_CLONED);
  NUMBER(TAPE_MARK_CHILD);
  NUMBER(TAPE_MARK_RUNNING);
  NUMBER(TAPE_MARKS);
  NUMBER(TAPE_ATTACH);
  NUMBER(TAPE_RESIZE);
  NUMBER(TAPE_STATE);
  NUMBER(TAPE_WATCH);
}

static void blob(void) {
  SIZE(tape_step);
  FIELD(tape_step, call);
  FIELD(tape_step, flags);
  FIELD(tape_step, result);
  FIELD(tape_step, kinds);
  FIELD(tape_step, tolerated_count);
  FIELD(tape_step, tolerated);
  FIELD(tape_step, exact);
  FIELD(tape_step, args);
  SIZE(tape_reloc);
  FIELD(tape_reloc, at);
  FIELD(tape_reloc, kind);
  FIELD(tape_reloc, value);
  SIZE(tape_client);
  FIELD(tape_client, slot);
  FIELD(tape_client, streams);
  SIZE(tape_plan);
  FIELD(tape_plan, flags);
  FIELD(tape_plan, title);
  FIELD(tape_plan, stdin_slot);
  FIELD(tape_plan, stdout_slot);
  FIELD(tape_plan, stderr_slot);
  FIELD(tape_plan, listener_slot);
  FIELD(tape_plan, clients_offset);
  FIELD(tape_plan, client_count);
  FIELD(tape_plan, log_slot);
  FIELD(tape_plan, log_name);
  FIELD(tape_plan, log_files);
  FIELD(tape_plan, exit_slot);
  FIELD(tape_plan, exit_name);
  FIELD(tape_plan, log_bytes);
  SIZE(tape_header);
  FIELD(tape_header, magic);
  FIELD(tape_header, version);
  FIELD(tape_header, total_bytes);
  FIELD(tape_header, arch);
  FIELD(tape_header, clone_flags);
  FIELD(tape_header, cgroup_slot);
  FIELD(tape_header, slot_count);
  FIELD(tape_header, passed_count);
  FIELD(tape_header, announce);
  FIELD(tape_header, monitor_steps);
  FIELD(tape_header, child_steps);
  FIELD(tape_header, steps_offset);
  FIELD(tape_header, relocs_offset);
  FIELD(tape_header, reloc_count);
  FIELD(tape_header, data_offset);
  FIELD(tape_header, keep);
  FIELD(tape_header, plan);
  FIELD(tape_header, user_slot);
  FIELD(tape_header, pid_slot);
}

static void messages(void) {
  SIZE(tape_request);
  FIELD(tape_request, id);
  SIZE(tape_report);
  FIELD(tape_report, kind);
  FIELD(tape_report, step);
  FIELD(tape_report, id);
  FIELD(tape_report, pid);
  FIELD(tape_report, error);
  FIELD(tape_report, signal);
  FIELD(tape_report, count);
  FIELD(tape_report, seconds);
  FIELD(tape_report, nanos);
  SIZE(tape_exit);
  FIELD(tape_exit, pid);
  FIELD(tape_exit, code);
  FIELD(tape_exit, signal);
  FIELD(tape_exit, started_nanos);
  FIELD(tape_exit, finished_nanos);
  FIELD(tape_exit, started_seconds);
  FIELD(tape_exit, finished_seconds);
  FIELD(tape_exit, lost_lines);
  SIZE(tape_hello);
  FIELD(tape_hello, kind);
  FIELD(tape_hello, streams);
  FIELD(tape_hello, rows);
  FIELD(tape_hello, columns);
  SIZE(tape_answer);
  FIELD(tape_answer, error);
  SIZE(tape_state);
  FIELD(tape_state, monitor_pid);
  FIELD(tape_state, pid);
  FIELD(tape_state, started_seconds);
  FIELD(tape_state, started_nanos);
  FIELD(tape_state, clients);
  FIELD(tape_state, lost_lines);
}

int main(void) {
  numbers();
  blob();
  messages();
  return fflush(stdout) == 0 ? 0 : 1;
}
