package carafe.cli.copy;

import carafe.cli.session.PathText;
import carafe.spec.EngineException;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Unpacks an archive into a local directory. Whoever made it may wish us ill: no name leaves the directory, and nothing
/// is written through a symbolic link, whether the archive brought it or it was there. Owners are the caller; devices
/// are left out.
public final class LocalUnpacker {

    private final Path top;
    private final CopyPlan plan;
    private final List<Times> directories = new ArrayList<>();
    private long bytes;

    private record Times(Path directory, FileTime modified) {}

    private LocalUnpacker(Path top, CopyPlan plan) {
        this.top = top;
        this.plan = plan;
    }

    /// Unpacks all of `archive` into `directory`, which is the caller's word and followed, as `plan` renames it.
    /// @return how many bytes the files have
    public static long unpack(InputStream archive, Path directory, CopyPlan plan) throws IOException, CopyException {
        try {
            var unpacker = new LocalUnpacker(directory.toRealPath(), plan);
            unpacker.all(new TarReader(archive));
            return unpacker.bytes;
        } catch (EngineException.Invalid e) {
            throw new CopyException(String.valueOf(e.getMessage()));
        }
    }

    private void all(TarReader tar) throws IOException, EngineException.Invalid, CopyException {
        for (var entry = tar.next(); entry != null; entry = tar.next()) {
            member(entry, tar);
        }
        for (var times : directories.reversed()) {
            modified(times.directory, times.modified);
        }
    }

    private void member(TarEntry entry, TarReader tar) throws IOException, EngineException.Invalid, CopyException {
        Path path = inside(plan.renamed(entry.name()));
        if (path.equals(top)) {
            return;
        }
        Path parent = top;
        for (Path name : top.relativize(path)) {
            if (parent.resolve(name).equals(path)) {
                break;
            }
            parent = parent.resolve(name);
            if (Files.isSymbolicLink(parent)) {
                throw new CopyException("cannot unpack \"" + entry.name() + "\": " + parent + " is a symbolic link");
            }
        }
        Files.createDirectories(parent);
        boolean directory = entry.type() == TarEntry.Type.DIRECTORY;
        boolean there = Files.exists(path, LinkOption.NOFOLLOW_LINKS);
        boolean isDirectory = Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
        if (there && isDirectory && !directory) {
            throw new CopyException("cannot overwrite directory \"" + path + "\" with non-directory \"" + top + "\"");
        }
        if (there && !isDirectory && directory) {
            throw new CopyException("cannot overwrite non-directory \"" + path + "\" with directory \"" + top + "\"");
        }
        if (there && !isDirectory) {
            Files.delete(path);
        }
        switch (entry.type()) {
            case DIRECTORY -> {
                if (!there) {
                    Files.createDirectory(path);
                }
                Files.setAttribute(path, "unix:mode", entry.mode() | 0700);
                directories.add(new Times(path, FileTime.fromMillis(entry.mtimeSeconds() * 1000)));
            }
            case FILE -> file(path, entry, tar);
            case SYMLINK -> Files.createSymbolicLink(path, PathText.path(entry.linkName()));
            case HARD_LINK -> {
                Path target = inside(plan.renamed(entry.linkName()));
                if (!Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS) || !target.toRealPath().startsWith(top)) {
                    throw new CopyException("cannot unpack \"" + entry.name() + "\": a link to \"" + entry.linkName()
                            + "\"");
                }
                Files.createLink(path, target);
            }
            case CHAR_DEVICE, BLOCK_DEVICE, FIFO -> { }
        }
    }

    private Path inside(String name) throws CopyException {
        Path path = PathText.resolve(top, name.startsWith("/") ? name.substring(1) : name).normalize();
        if (!path.startsWith(top)) {
            throw new CopyException("\"" + name + "\" is outside of \"" + top + "\"");
        }
        return path;
    }

    private void file(Path path, TarEntry entry, TarReader tar) throws IOException {
        byte[] buffer = new byte[64 << 10];
        try (var out = Files.newByteChannel(path,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS))) {
            for (var extent : entry.extents()) {
                out.position(extent.offset());
                for (long left = extent.length(); left > 0; ) {
                    int got = tar.read(buffer, 0, (int) Math.min(left, buffer.length));
                    if (got < 0) {
                        throw new IOException("unexpected EOF");
                    }
                    out.write(ByteBuffer.wrap(buffer, 0, got));
                    left -= got;
                }
            }
            if (out.size() < entry.size()) { // it ends in a hole
                out.position(entry.size() - 1);
                out.write(ByteBuffer.wrap(new byte[1]));
            }
        }
        bytes += entry.size();
        Files.setAttribute(path, "unix:mode", entry.mode());
        modified(path, FileTime.fromMillis(entry.mtimeSeconds() * 1000));
    }

    private static void modified(Path path, FileTime time) throws IOException {
        Files.getFileAttributeView(path, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .setTimes(time, null, null);
    }
}
