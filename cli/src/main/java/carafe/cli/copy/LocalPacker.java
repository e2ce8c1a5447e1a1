package carafe.cli.copy;

import carafe.cli.session.PathText;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Packs a local file or directory, links as links.
public final class LocalPacker {

    private static final int TYPE = 0170000;

    private final TarWriter tar;
    private final CopyPlan plan;
    private final byte[] buffer = new byte[64 << 10];

    private LocalPacker(TarWriter tar, CopyPlan plan) {
        this.tar = tar;
        this.plan = plan;
    }

    /// Writes what is at `file` under the name `base`, as `plan` renames it.
    public static void pack(Path file, String base, CopyPlan plan, OutputStream out) throws IOException {
        var tar = new TarWriter(out);
        new LocalPacker(tar, plan).add(file, base);
        tar.finish();
    }

    private void add(Path file, String name) throws IOException {
        var attributes = Files.readAttributes(file, "unix:mode,uid,gid,size,rdev",
                LinkOption.NOFOLLOW_LINKS);
        int mode = (int) number(attributes, "mode");
        var type = switch (mode & TYPE) {
            case 0100000 -> TarEntry.Type.FILE;
            case 0040000 -> TarEntry.Type.DIRECTORY;
            case 0120000 -> TarEntry.Type.SYMLINK;
            case 0020000 -> TarEntry.Type.CHAR_DEVICE;
            case 0060000 -> TarEntry.Type.BLOCK_DEVICE;
            case 0010000 -> TarEntry.Type.FIFO;
            default -> null; // a socket, for which tar has no word
        };
        if (type == null) {
            return;
        }
        long size = type == TarEntry.Type.FILE ? number(attributes, "size") : 0;
        String link = type == TarEntry.Type.SYMLINK ? PathText.of(Files.readSymbolicLink(file)) : "";
        long device = number(attributes, "rdev");
        tar.add(new TarEntry(type, plan.renamed(name), link, size, List.of(), mode & 07777,
                number(attributes, "uid") & 0xFFFFFFFFL, number(attributes, "gid") & 0xFFFFFFFFL,
                Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS).toMillis() / 1000, 0,
                (int) (device >> 8 & 0xFFF), (int) (device & 0xFF | device >> 12 & 0xFFF00), Map.of()));
        if (type == TarEntry.Type.FILE) {
            content(file, size);
        } else if (type == TarEntry.Type.DIRECTORY) {
            var children = new ArrayList<Path>();
            try (var entries = Files.newDirectoryStream(file)) {
                entries.forEach(children::add);
            }
            children.sort(null);
            for (var child : children) {
                try {
                    add(child, name + "/" + PathText.of(Objects.requireNonNull(child.getFileName())));
                } catch (NoSuchFileException e) {
                    continue; // gone meanwhile
                }
            }
        }
    }

    private static long number(Map<String, Object> attributes, String name) {
        return attributes.get(name) instanceof Number number ? number.longValue() : 0;
    }

    private void content(Path file, long size) throws IOException {
        long left = size;
        try (InputStream in = Files.newInputStream(file)) {
            while (left > 0) {
                int got = in.read(buffer, 0, (int) Math.min(left, buffer.length));
                if (got < 0) {
                    throw new IOException(file + " became shorter while it was read");
                }
                tar.write(buffer, 0, got);
                left -= got;
            }
        }
    }
}
