/// Volumes: their names, rows and users; made with the container that first names them, kept until somebody removes them.
/// Entry: [Volumes] for doors; [VolumeBook], which is behind it, for the rest of the engine.
/// Never knows: containers beyond their ids, HTTP, what a filesystem is (the files room has the directories).
/// Threads: any; what changes one volume waits for what changes the same volume, and for nothing else.
/// Spec: Docker Engine API 1.48 `/volumes`, the `local` driver. Rows of containers are the truth about who uses what.
@NullMarked
package carafe.engine.volume;

import org.jspecify.annotations.NullMarked;
