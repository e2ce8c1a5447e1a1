/// Purpose: tests that see an engine as its users do, through commands, sockets and processes; Docker's own engine too.
/// Entry: `DockerCommandContract`, run for each pair of engine and client; `VmTest` for the cgroup v2 machine.
/// Never knows: any room of ours; nothing here is imported from them, so that a shared mistake cannot hide.
/// Threads: JUnit's; each started process has two virtual threads that read its streams.
/// Spec: the docker command's reference and the Engine API; where they are silent, what Docker 20.10 and 28 do.
@NullMarked
package carafe.e2e;

import org.jspecify.annotations.NullMarked;
