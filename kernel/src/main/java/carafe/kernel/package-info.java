/// The kernel as typed Java: descriptors, file trees, mounts, cgroups, processes, seccomp, tapes and the spawner link.
/// Entry: [Fd], `FileTree`, `Mounts`, `Cgroups`, `Seccomp`, `Processes`; every failure is a [KernelException].
/// Never knows: containers, images, policy, any other room; no `MemorySegment` leaves it.
/// Threads: any; calls are short and pin a virtual thread's carrier only while they run.
/// Spec: the manual's sections 2 and 7, Documentation/admin-guide/cgroup-v1 and cgroup-v2 of the kernel.
@NullMarked
package carafe.kernel;

import org.jspecify.annotations.NullMarked;
