/// Trees of files that steps copy from and into, behind one interface: a context that came as a tar, a mounted root.
/// Entry: [FileSource]; [ContextArchive] and [MountedTree] are the two kinds; [LayerTar] writes what is copied.
/// Never knows: Dockerfiles, steps, the cache. Nothing here resolves a path outside its tree, whatever links say.
/// Threads: a tree may be read by several threads; what it owns is closed by whoever opened it.
/// Spec: SECURITY R1 (paths), R7 (bounds); POSIX pax for what is written.
@NullMarked
package carafe.build.tree;

import org.jspecify.annotations.NullMarked;
