package carafe.build.tree;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A small tar for tests, written by [LayerTar].
public final class TarText {

    private static final Node.Time TIME = new Node.Time(1_700_000_000, 0);

    private final List<LayerMember> members = new ArrayList<>();

    /// Adds a file of mode 0644.
    public TarText file(String path, String text) {
        return file(path, text, 0644);
    }

    /// Adds a file.
    public TarText file(String path, String text, int mode) {
        return file(path, text.getBytes(StandardCharsets.UTF_8), mode);
    }

    /// Adds a file that is no text.
    public TarText file(String path, byte[] bytes, int mode) {
        members.add(LayerMember.of(new Node(path, Node.Type.FILE, new Node.Owner(7, 8), mode, bytes.length, TIME, "",
                Map.of()), bytes));
        return this;
    }

    /// Adds a file of mode 0644 that belongs to root.
    public TarText rootFile(String path, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        members.add(LayerMember.of(new Node(path, Node.Type.FILE, Node.Owner.ROOT, 0644, bytes.length, TIME, "", Map.of()),
                bytes));
        return this;
    }

    /// Adds a symbolic link.
    public TarText link(String path, String target) {
        members.add(LayerMember.of(new Node(path, Node.Type.SYMLINK, Node.Owner.ROOT, 0777, 0, TIME, target, Map.of()),
                LayerMember.Content.NONE));
        return this;
    }

    /// Adds a hard link.
    public TarText hardLink(String path, String target) {
        var node = new Node(path, Node.Type.FILE, Node.Owner.ROOT, 0644, 0, TIME, "", Map.of());
        members.add(new LayerMember(node, LayerMember.Content.NONE, Optional.of(target), Optional.empty()));
        return this;
    }

    /// Adds a directory.
    public TarText directory(String path) {
        return directory(path, 0755);
    }

    /// Adds a directory.
    public TarText directory(String path, int mode) {
        members.add(LayerMember.of(Node.directory(path, Node.Owner.ROOT, mode, TIME), LayerMember.Content.NONE));
        return this;
    }

    /// The tar.
    public byte[] bytes() {
        try (var tar = new LayerTar(members.iterator())) {
            return tar.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The tar as a stream.
    public ByteArrayInputStream stream() {
        return new ByteArrayInputStream(bytes());
    }
}
