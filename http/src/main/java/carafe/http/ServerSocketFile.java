package carafe.http;

import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A listening unix socket and its file. Owns both; removes the file only while it is still its own.
final class ServerSocketFile implements AutoCloseable {

    private static final int BACKLOG = 1024;
    private static final int WRITABLE_BY_OTHERS = 0022;

    private final ServerSocketChannel channel;
    private final Path path;
    private final Identity identity;

    /// What tells the file from another of the same name, even if that got its inode.
    private record Identity(@Nullable Object fileKey, FileTime modified) {
        static Identity of(Path path) throws IOException {
            var attributes = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return new Identity(attributes.fileKey(), attributes.lastModifiedTime());
        }
    }

    private ServerSocketFile(ServerSocketChannel channel, Path path, Identity identity) {
        this.channel = channel;
        this.path = path;
        this.identity = identity;
    }

    /// Listens. A file left behind by a dead process is replaced, one with a listener is not. Connecting needs the
    /// right to write, so between bind and chmod nobody may have more of it than `mode` grants: the umask's business.
    /// @throws IOException with a sentence
    static ServerSocketFile open(Listener listener, Path path) throws IOException {
        requireUmask(listener.mode());
        var channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            bind(channel, path);
            var opened = new ServerSocketFile(channel, path, Identity.of(path));
            opened.grant(listener);
            return opened;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static void bind(ServerSocketChannel channel, Path path) throws IOException {
        try {
            channel.bind(UnixDomainSocketAddress.of(path), BACKLOG);
        } catch (IOException e) {
            if (!Files.exists(path.resolveSibling("."))) {
                throw failed(path, "its directory does not exist", e);
            }
            if (!(e instanceof BindException) || !Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                throw failed(path, String.valueOf(e.getMessage()), e);
            }
            if (!Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).isOther()) {
                throw failed(path, "a file that is not a socket is in the way", e);
            }
            if (answers(path)) {
                throw failed(path, "another process is listening there", e);
            }
            Files.deleteIfExists(path);
            channel.bind(UnixDomainSocketAddress.of(path), BACKLOG);
        }
    }

    private static boolean answers(Path path) throws IOException {
        try (var probe = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return probe.isConnected();
        } catch (ConnectException | NoSuchFileException e) {
            return false;
        }
    }

    private void grant(Listener listener) throws IOException {
        var view = Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        if (listener.group().isPresent()) {
            String group = listener.group().get();
            try {
                view.setGroup(path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName(group));
            } catch (UserPrincipalNotFoundException e) {
                close();
                throw failed(path, "there is no group \"" + group + "\"", e);
            }
        }
        // Not through the view: its NOFOLLOW form opens the file, which a socket refuses. The name is ours since bind.
        Files.setPosixFilePermissions(path, permissions(listener.mode()));
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        var permissions = EnumSet.noneOf(PosixFilePermission.class);
        var all = PosixFilePermission.values(); // owner read, write, execute, group, others: from the highest bit
        for (int i = 0; i < all.length; i++) {
            if ((mode & 0400 >> i) != 0) {
                permissions.add(all[i]);
            }
        }
        return permissions;
    }

    private static void requireUmask(int mode) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("Umask:")) {
                int granted = ~Integer.parseInt(line.substring(6).strip(), 8);
                if ((granted & WRITABLE_BY_OTHERS & ~mode) != 0) {
                    throw new IOException("the umask would open the socket to others for a moment; "
                            + "start with umask 022");
                }
            }
        }
    }

    private static IOException failed(Path path, String cause, IOException e) {
        return new IOException("cannot listen at unix://" + path + ": " + cause, e);
    }

    /// Where clients are accepted.
    ServerSocketChannel channel() {
        return channel;
    }

    @Override
    public void close() throws IOException {
        channel.close();
        try {
            if (identity.equals(Identity.of(path))) {
                Files.delete(path);
            }
        } catch (NoSuchFileException e) {
            return; // somebody has tidied up
        }
    }
}
