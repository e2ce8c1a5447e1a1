package carafe.cli.copy;

import carafe.spec.EngineException;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarReader;
import carafe.spec.tar.TarWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;

/// Archives written into one, each below a directory of its own.
public final class PrefixedTar {

    private static final int CHUNK_BYTES = 1 << 16;

    private final TarWriter tar;

    /// Writes to `out`, which stays the caller's.
    public PrefixedTar(OutputStream out) {
        this.tar = new TarWriter(out);
    }

    /// Adds all of `archive` below `directory`, at the top if that is `""`.
    /// @throws CopyException it is no archive
    public void add(String directory, InputStream archive) throws IOException, CopyException {
        String prefix = directory.isEmpty() ? "" : directory + "/";
        if (!prefix.isEmpty()) {
            tar.add(new TarEntry(TarEntry.Type.DIRECTORY, directory, "", 0, List.of(), 0755, 0, 0, 0, 0, 0, 0, Map.of()));
        }
        var reader = new TarReader(archive);
        try {
            for (var entry = reader.next(); entry != null; entry = reader.next()) {
                boolean hard = entry.type() == TarEntry.Type.HARD_LINK;
                tar.add(new TarEntry(entry.type(), prefix + entry.name(),
                        hard ? prefix + entry.linkName() : entry.linkName(), entry.size(), entry.extents(),
                        entry.mode(), entry.uid(), entry.gid(), entry.mtimeSeconds(), entry.mtimeNanos(),
                        entry.deviceMajor(), entry.deviceMinor(), entry.xattrs()));
                if (entry.type() == TarEntry.Type.FILE) {
                    content(entry, reader);
                }
            }
        } catch (EngineException.Invalid e) {
            throw new CopyException(String.valueOf(e.getMessage()));
        }
    }

    private void content(TarEntry entry, TarReader reader) throws IOException {
        byte[] buffer = new byte[CHUNK_BYTES];
        long at = 0;
        for (var extent : entry.extents()) {
            zeros(extent.offset() - at);
            for (long left = extent.length(); left > 0;) {
                int count = reader.read(buffer, 0, (int) Math.min(left, buffer.length));
                if (count < 0) {
                    throw new IOException("the archive ends within " + entry.name());
                }
                tar.write(buffer, 0, count);
                left -= count;
            }
            at = extent.offset() + extent.length();
        }
        zeros(entry.size() - at);
    }

    private void zeros(long count) throws IOException {
        byte[] nothing = new byte[(int) Math.min(count, CHUNK_BYTES)];
        for (long left = count; left > 0; left -= Math.min(left, nothing.length)) {
            tar.write(nothing, 0, (int) Math.min(left, nothing.length));
        }
    }

    /// Ends the archive.
    public void finish() throws IOException {
        tar.finish();
    }
}
