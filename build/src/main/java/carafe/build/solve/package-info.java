/// Solves a plan: stages at the same time, each step found in the cache or done, once however many builds want it.
/// Entry: [Solver]; [StepCache] is what survives, one small file per step, in a directory of which it is the owner.
/// Never knows: Dockerfiles' text, protocols. Keys are digests of what a step does and of what it works on.
/// Threads: a stage runs on a virtual thread of its own; an interrupt of the solving thread ends all.
/// Spec: a record is written to a new file and renamed, and holds its own digest: what a crash cuts is never used.
@NullMarked
package carafe.build.solve;

import org.jspecify.annotations.NullMarked;
