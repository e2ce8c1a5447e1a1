/// Tar: members read and written, byte for byte.
/// Entry: [TarReader], [TarWriter]; both speak of [TarEntry].
/// Never knows: files, directories, what a member is for. It reads and writes the stream it is given, nothing else.
/// Threads: one per reader or writer; calls block on the stream.
/// Spec: POSIX.1-2017 pax, GNU tar manual "Tar Internals"; star's SCHILY.xattr. All bytes read are hostile (SECURITY R7).
@NullMarked
package carafe.spec.tar;

import org.jspecify.annotations.NullMarked;
