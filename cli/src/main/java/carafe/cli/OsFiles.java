package carafe.cli;

import carafe.cli.session.Files;
import carafe.cli.session.PathText;
import carafe.spec.build.FileStamp;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/// Files of this process.
final class OsFiles implements Files {

    /// All that is known of a file, in one call. Source: lstat(2).
    private static final String WANTED = "unix:mode,size,lastModifiedTime,ctime,ino,dev,nlink";
    private static final int TYPE = 0170000;
    private static final int REGULAR = 0100000;
    private static final int DIRECTORY = 0040000;
    private static final int LINK = 0120000;
    private static final int PERMISSIONS = 07777; // with setuid, setgid and sticky

    private final Capabilities capabilities;
    private final Lister lister;

    /// Asks `capabilities` for those of files.
    OsFiles(Capabilities capabilities) {
        this(capabilities, OsFiles::listed);
    }

    /// Asks `lister` what directories hold, too.
    OsFiles(Capabilities capabilities, Lister lister) {
        this.capabilities = capabilities;
        this.lister = lister;
    }

    @Override
    public InputStream read(Path file) throws IOException {
        try {
            return new FileInputStream(file.toFile()); // a context has thousands: no channel, no look at it before
        } catch (FileNotFoundException e) {
            if (isDirectory(file)) {
                throw new IOException("read " + file + ": is a directory", e);
            }
            try {
                return java.nio.file.Files.newInputStream(file); // takes every name, and says why not
            } catch (FileSystemException why) {
                throw sentence("open", file, why);
            }
        }
    }

    @Override
    public OutputStream create(Path file) throws IOException {
        try {
            return java.nio.file.Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileSystemException e) {
            throw sentence("open", file, e);
        }
    }

    @Override
    public OutputStream overwrite(Path file) throws IOException {
        try {
            return java.nio.file.Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE);
        } catch (FileSystemException e) {
            throw sentence("open", file, e);
        }
    }

    @Override
    public void replacePrivately(Path file, byte[] content) throws IOException {
        try {
            Path place = java.nio.file.Files.exists(file) ? file.toRealPath() : file;
            Path directory = place.toAbsolutePath().getParent();
            java.nio.file.Files.createDirectories(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Path fresh = java.nio.file.Files.createTempFile(directory, place.getFileName().toString(), ".new"); // 0600
            try (var channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(content));
                channel.force(true);
            }
            java.nio.file.Files.move(fresh, place, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (FileSystemException e) {
            throw sentence("write", file, e);
        }
    }

    @Override
    public void rename(Path file, Path other) throws IOException {
        try {
            java.nio.file.Files.move(file, other, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (FileSystemException e) {
            throw sentence("rename", other, e);
        }
    }

    private static IOException sentence(String what, Path file, FileSystemException e) {
        String why = e instanceof NoSuchFileException ? "no such file or directory"
                : e instanceof AccessDeniedException ? "permission denied"
                : e instanceof FileAlreadyExistsException ? "file exists"
                : String.valueOf(e.getReason()).toLowerCase(Locale.ROOT);
        return new IOException(what + " " + file + ": " + why, e);
    }

    @Override
    public boolean exists(Path file) {
        return java.nio.file.Files.exists(file);
    }

    @Override
    public boolean isDirectory(Path file) {
        return java.nio.file.Files.isDirectory(file);
    }

    @Override
    public boolean isSpecial(Path file) {
        return exists(file) && !isDirectory(file) && !java.nio.file.Files.isRegularFile(file);
    }

    @Override
    public List<FileEntry> list(Path directory) throws IOException {
        return lister.list(directory);
    }

    private static List<FileEntry> listed(Path directory) throws IOException {
        var entries = new ArrayList<FileEntry>();
        try (var names = java.nio.file.Files.newDirectoryStream(directory)) {
            for (Path path : names) {
                try {
                    entries.add(entry(path));
                } catch (NoSuchFileException | NotLinkException e) {
                    continue; // it is gone meanwhile, or something else
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        } catch (NotDirectoryException e) {
            throw new IOException("open " + directory + ": not a directory", e);
        } catch (FileSystemException e) {
            throw sentence("open", directory, e);
        }
        return entries;
    }

    private static FileEntry entry(Path path) throws IOException {
        var read = java.nio.file.Files.readAttributes(path, WANTED, LinkOption.NOFOLLOW_LINKS);
        int mode = (Integer) Objects.requireNonNull(read.get("mode"));
        var kind = switch (mode & TYPE) {
            case REGULAR -> FileEntry.Kind.FILE;
            case DIRECTORY -> FileEntry.Kind.DIRECTORY;
            case LINK -> FileEntry.Kind.LINK;
            default -> FileEntry.Kind.OTHER;
        };
        String target = kind == FileEntry.Kind.LINK ? PathText.of(java.nio.file.Files.readSymbolicLink(path)) : "";
        var stamp = stamp(read);
        return new FileEntry(name(path), kind, mode & PERMISSIONS, stamp.size(),
                time(read, "lastModifiedTime").getEpochSecond(), target, stamp,
                kind == FileEntry.Kind.FILE && (Integer) Objects.requireNonNull(read.get("nlink")) > 1);
    }

    private static String name(Path path) {
        return PathText.of(Objects.requireNonNull(path.getFileName()));
    }

    @Override
    public List<byte[]> capabilities(Path directory, List<String> names) throws IOException {
        return capabilities.of(PathText.of(directory), names);
    }

    @Override
    public FileStamp stamp(Path file) throws IOException {
        try {
            return stamp(java.nio.file.Files.readAttributes(file, WANTED, LinkOption.NOFOLLOW_LINKS));
        } catch (NoSuchFileException e) {
            return FileStamp.NONE;
        } catch (FileSystemException e) {
            throw sentence("stat", file, e);
        }
    }

    private static FileStamp stamp(Map<String, Object> read) {
        return new FileStamp(number(read, "dev"), number(read, "ino"), number(read, "size"),
                nanos(time(read, "lastModifiedTime")), nanos(time(read, "ctime")));
    }

    private static long number(Map<String, Object> read, String name) {
        return (Long) Objects.requireNonNull(read.get(name));
    }

    private static Instant time(Map<String, Object> read, String name) {
        return ((FileTime) Objects.requireNonNull(read.get(name))).toInstant();
    }

    /// Times that are too far away for nanoseconds wrap: they only tell files apart.
    private static long nanos(Instant time) {
        return time.getEpochSecond() * 1_000_000_000L + time.getNano();
    }

    @Override
    public void remove(Path file) throws IOException {
        java.nio.file.Files.deleteIfExists(file);
    }
}
