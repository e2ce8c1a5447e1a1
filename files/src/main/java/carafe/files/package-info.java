/// The files of containers and volumes where no process is needed for them: looked at, packed, unpacked, copied, counted,
/// mounted. All of it through descriptors that cannot leave the tree they belong to.
/// Entry: [ContainerFiles] for what is inside a container, [VolumeDirectories] for what volumes keep.
/// Never knows: who owns a volume, databases, images, networks; how a root is put together is asked of [RootMounter].
/// Threads: any; calls block on disk and stream, so run them on virtual threads. One process owns a volume root.
/// Spec: Docker's archive endpoints and `local` volume driver; openat2(2), mount_namespaces(7). What lies in a tree is
/// hostile, also while it is read: its processes may run (SECURITY R1, R2, R5, R7).
@NullMarked
package carafe.files;

import org.jspecify.annotations.NullMarked;
