/// The OCI runtime: a [carafe.spec.oci.RuntimeSpec] becomes a tape of system calls, the tape a running container.
/// Entry: [ContainerRuntime]; [StandardContainer] holds what a Docker container has by default.
/// Never knows: images, names, databases, HTTP; what must survive the daemon is in the bundle's run directory.
/// Threads: any virtual thread may call and block; planning is pure and runs anywhere.
/// Spec: OCI runtime-spec 1.2; namespaces(7), mount_setattr(2), capabilities(7), cgroups(7).
@NullMarked
package carafe.runtime;

import org.jspecify.annotations.NullMarked;
