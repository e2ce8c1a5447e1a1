package carafe.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;

/// Files and directories of the state root that survive a power cut once a method here has returned. Only for names
/// that we made ourselves.
final class Durable {

    private Durable() {}

    /// Makes `directory` (mode 0700) and its parents.
    static void makeDirectory(Path directory) throws IOException {
        Files.createDirectories(directory,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    /// Makes the names in `directory` durable.
    static void syncDirectory(Path directory) throws IOException {
        try (var channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /// Replaces `file` by `bytes`: readers and crashes see the old bytes or the new ones, never a mix. The new bytes
    /// are put together in `temporary`, on the same filesystem.
    static void replace(Path file, Path temporary, byte[] bytes, CommitSteps steps) throws IOException {
        String name = String.valueOf(file.getFileName());
        steps.before("write " + name);
        try (var channel = FileChannel.open(temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            writeAll(channel, ByteBuffer.wrap(bytes));
            steps.before("sync " + name);
            channel.force(true);
        }
        steps.before("rename " + name);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        steps.before("sync directory of " + name);
        syncNameOf(file);
    }

    /// Makes the name of `file` durable.
    static void syncNameOf(Path file) throws IOException {
        syncDirectory(Objects.requireNonNull(file.toAbsolutePath().getParent()));
    }

    static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
