/// Limits on the bytes of volumes and writable layers: which project, of the file system's quotas, belongs to whom.
/// Entry: [SizeLimits], one for each kind of owner.
/// Never knows: how a directory is made, what an owner is beyond its name, system calls (the files room has them).
/// Threads: any; numbers are chosen one at a time.
/// Spec: quotactl(2); `docker volume create -o size=`, `docker run --storage-opt size=`.
@NullMarked
package carafe.engine.quota;

import org.jspecify.annotations.NullMarked;
