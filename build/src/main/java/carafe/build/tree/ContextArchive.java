package carafe.build.tree;

import carafe.image.TarArchive;
import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Digest;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntFunction;

/// A build's context as it came: the contents of its files one after the other in one spool file, an index in memory.
/// No file of the context ever exists under its own name, so no name in it can mean anything to the host; links are
/// followed in the index, where there is nothing outside. Every content's digest is known when it has arrived; of a file
/// that was only listed, what an earlier build made of it, or nothing.
public final class ContextArchive implements FileSource {

    /// Bytes of memory, about, that a file or a directory needs beside its path and its attributes.
    private static final int FILE_BYTES = 470;
    private static final int DIRECTORY_BYTES = 330;
    private static final int ATTRIBUTE_BYTES = 120;
    private static final int MAX_DEPTH = 512;
    private static final int MAX_LINKS = 255;
    private static final int BUFFER = 256 << 10;
    private static final byte[] ZEROS = new byte[BUFFER];

    private static final class Entry {
        Node node;
        long offset;
        /// Whether only its name came, and which of the known digests it has, -1 for none.
        boolean listed;
        int known;
        /// Whether it is a directory that only the names of what is in it told of.
        boolean implied;
        Optional<Digest> digest = Optional.empty();
        /// A directory's; of a file one that stays empty, and is nobody's.
        final SortedMap<String, Entry> children;

        Entry(Node node) {
            this.node = node;
            this.children = node.isDirectory() ? new TreeMap<>() : Collections.emptySortedMap();
        }
    }

    private final FileChannel spool;
    private final IntFunction<Digest> known;
    /// Contents on their way into the spool; small files share a write.
    private final ByteBuffer pending = ByteBuffer.allocate(BUFFER);
    private final MessageDigest hasher = Digest.Algorithm.SHA256.hasher();
    private final Entry root = new Entry(Node.directory("", Node.Owner.ROOT, 0755, new Node.Time(0, 0)));
    private final Map<String, Entry> directories = new HashMap<>();
    private final IndexMemory.Share memory;
    /// The numbers of files that were listed, and of those that were listed under several names.
    private final BitSet once = new BitSet();
    private final BitSet twice = new BitSet();
    private int entries;
    private long length;

    private ContextArchive(FileChannel spool, IntFunction<Digest> known, IndexMemory.Share memory) {
        this.spool = spool;
        this.known = known;
        this.memory = memory;
        directories.put("", root);
    }

    /// Reads `archive` (a tar, plain or compressed) to its end. Contents go to a file of `scratch` that has no name any
    /// more when this returns, so that nothing is left of it when the process dies.
    /// @throws EngineException.Invalid the archive is at fault
    public static ContextArchive read(InputStream archive, Scratch scratch) throws IOException, EngineException {
        var context = empty(scratch);
        boolean whole = false;
        try {
            context.add(archive);
            whole = true;
            return context;
        } finally {
            if (!whole) {
                context.close();
            }
        }
    }

    /// One without files, whose contents are going to lie in a nameless file of `scratch`.
    public static ContextArchive empty(Scratch scratch) throws IOException {
        return listed(scratch, number -> {
            throw new AssertionError("there is no known digest " + number);
        });
    }

    /// One without files, to which files are added that are only listed; `known` are the digests that some of them have.
    public static ContextArchive listed(Scratch scratch, IntFunction<Digest> known) throws IOException {
        Path file = Files.createTempFile(scratch.directory(), "context-", ".spool");
        var channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        Files.delete(file);
        return new ContextArchive(channel, known, scratch.memory().share());
    }

    /// Adds what the tar `archive` (plain or compressed) holds, and reads it to its end.
    /// @throws EngineException.Invalid the archive is at fault
    public void add(InputStream archive) throws IOException, EngineException {
        TarArchive.read(new BufferedInputStream(archive, BUFFER), this::add);
        flush();
    }

    /// Adds a file of root's with what `data` yields.
    /// @throws EngineException.Invalid that is more than `limitBytes`
    public Node add(String path, int mode, Node.Time modified, InputStream data, long limitBytes)
            throws IOException, EngineException {
        var entry = new Entry(new Node(path, Node.Type.FILE, Node.Owner.ROOT, mode, 0, modified, "", Map.of()));
        spool(entry, data, limitBytes);
        flush();
        if (length - entry.offset > limitBytes) {
            throw new EngineException.Invalid(path + " is longer than " + limitBytes + " bytes");
        }
        entry.node = new Node(path, Node.Type.FILE, Node.Owner.ROOT, mode, length - entry.offset, modified, "", Map.of());
        count(entry.node);
        put(path, entry);
        return entry.node;
    }

    /// Adds a file, link or directory of root's that did not come: of a file at most the digest, as the `number` among
    /// the known ones, -1 for none.
    public void addListed(Node node, int number) throws EngineException.Invalid {
        count(node);
        if (node.isDirectory()) {
            directory(node.path()).node = node;
            return;
        }
        var entry = new Entry(node);
        entry.listed = true;
        entry.known = number;
        put(node.path(), entry);
        if (number >= 0) {
            (once.get(number) ? twice : once).set(number);
        }
    }

    /// Comes behind the last file that is listed: those of one number are names of one file.
    public void join() {
        if (!twice.isEmpty()) {
            join(root);
        }
    }

    private void join(Entry directory) {
        for (var child : directory.children.values()) {
            if (child.node.isDirectory()) {
                join(child);
            } else if (child.listed && child.known >= 0 && twice.get(child.known)) {
                child.node = child.node.named(new Node.Inode(1, child.known));
            }
        }
    }

    /// The digest of the file at `path`, without following links.
    public Optional<Digest> digest(String path) {
        return lookup(path).flatMap(entry -> entry.digest);
    }

    /// The extended attributes of what is at `path`, without following links.
    public Map<String, byte[]> attributes(String path) {
        return lookup(path).map(entry -> entry.node.xattrs()).orElse(Map.of());
    }

    /// Adds a directory of root's, unless it is there.
    /// @throws EngineException.Invalid it is deeper than a context may be
    public void addDirectory(String path) throws EngineException.Invalid {
        directory(path);
    }

    /// Makes the directory that `path` leads to the root; what is outside is there no more.
    /// @throws EngineException.Invalid there is none
    public void narrow(String path) throws EngineException.Invalid {
        var place = walk(path, true).filter(entry -> entry.node.isDirectory()).orElseThrow(() ->
                new EngineException.Invalid("there is no directory " + path));
        var children = new TreeMap<>(place.children);
        root.children.clear();
        root.node = place.node.at("");
        directories.clear();
        directories.put("", root);
        children.forEach((name, child) -> {
            root.children.put(name, child);
            moved(child, name);
        });
    }

    private void moved(Entry entry, String path) {
        entry.node = entry.node.at(path);
        if (entry.node.isDirectory()) {
            directories.put(path, entry);
            entry.children.forEach((name, child) -> moved(child, path + "/" + name));
        }
    }

    private void count(Node node) throws EngineException.Invalid {
        entries++;
        long attributes = node.target().length();
        for (var attribute : node.xattrs().entrySet()) {
            attributes += ATTRIBUTE_BYTES + attribute.getKey().length() + attribute.getValue().length;
        }
        hold(node.path(), (node.isDirectory() ? 0 : FILE_BYTES) + attributes);
    }

    /// Takes memory for `path` and `bytes` more.
    private void hold(String path, long bytes) throws EngineException.Invalid {
        if (!memory.hold(bytes + 2L * path.length())) { // once whole, once its last name, at most
            throw new EngineException.Invalid("the context has too many files for the engine's memory: " + entries
                    + " files and " + directories.size() + " directories until " + path
                    + memory.others() + "; leave out what the build does not need with a .dockerignore file");
        }
    }

    private void add(TarArchive.Member member, InputStream data) throws IOException, EngineException {
        String path = IgnorePatterns.clean(member.name());
        if (member.name().contains("..") && List.of(member.name().split("/")).contains("..")) {
            throw new EngineException.Invalid("the context holds a path that leads out of it: " + member.name());
        }
        var attributes = member.attributes();
        var owner = new Node.Owner(attributes.uid(), attributes.gid());
        var time = new Node.Time(attributes.modifiedSeconds(), attributes.modifiedNanos());
        int mode = attributes.mode();
        switch (member.kind()) {
            case DIRECTORY -> {
                var directory = directory(path);
                directory.implied = false;
                directory.node = counted(new Node(path, Node.Type.DIRECTORY, owner, mode, 0, time, "", member.xattrs()));
            }
            case FILE -> put(path, file(counted(new Node(path, Node.Type.FILE, owner, mode, member.size(), time, "",
                    member.xattrs())), data));
            case SYMLINK -> put(path, new Entry(counted(new Node(path, Node.Type.SYMLINK, owner, 0777, 0, time,
                    member.linkName(), member.xattrs()))));
            case HARD_LINK -> {
                var target = lookup(IgnorePatterns.clean(member.linkName())).orElseThrow(() ->
                        new EngineException.Invalid("the context holds a hard link to a file that is not in it: "
                                + member.name() + " to " + member.linkName()));
                if (target.node.inode().isEmpty() && target.node.type() == Node.Type.FILE) {
                    target.node = target.node.named(new Node.Inode(0, entries)); // of no other file: they are being counted
                }
                var copy = new Entry(counted(target.node.at(path)));
                copy.offset = target.offset;
                copy.digest = target.digest;
                put(path, copy);
            }
            case CHAR_DEVICE, BLOCK_DEVICE, FIFO -> put(path, new Entry(counted(new Node(path, Node.Type.SPECIAL, owner, mode,
                    0, time, "", Map.of()))));
        }
    }

    private Node counted(Node node) throws EngineException.Invalid {
        count(node);
        return node;
    }

    private Entry file(Node node, InputStream data) throws IOException {
        var entry = new Entry(node);
        spool(entry, data, Long.MAX_VALUE);
        if (length - entry.offset != node.size()) {
            throw new IOException("a file of the context is shorter than its header says: " + node.path());
        }
        return entry;
    }

    /// Writes down a file's content, and stops soon behind `limitBytes`.
    private void spool(Entry entry, InputStream data, long limitBytes) throws IOException {
        entry.offset = length;
        while (true) {
            if (!pending.hasRemaining()) {
                flush();
            }
            int count = data.read(pending.array(), pending.position(), pending.remaining());
            if (count < 0) {
                break;
            }
            hasher.update(pending.array(), pending.position(), count);
            pending.position(pending.position() + count);
            length += count;
            if (length - entry.offset > limitBytes) {
                break;
            }
        }
        entry.digest = Optional.of(Digest.finish(Digest.Algorithm.SHA256, hasher.digest()));
    }

    /// What is all zeros becomes a hole of the spool file, or its end.
    private void flush() throws IOException {
        pending.flip();
        long at = length - pending.remaining();
        if (pending.equals(ByteBuffer.wrap(ZEROS, 0, pending.remaining()))) {
            pending.clear();
            return;
        }
        while (pending.hasRemaining()) {
            at += spool.write(pending, at);
        }
        pending.clear();
    }

    private void put(String path, Entry entry) throws EngineException.Invalid {
        if (path.isEmpty()) {
            throw new EngineException.Invalid("the context's root is no directory");
        }
        int slash = path.lastIndexOf('/');
        var parent = directory(slash < 0 ? "" : path.substring(0, slash));
        var old = parent.children.put(path.substring(slash + 1), entry);
        if (old != null && old.node.isDirectory()) {
            directories.keySet().removeIf(known -> known.equals(path) || known.startsWith(path + "/"));
        }
    }

    private Entry directory(String path) throws EngineException.Invalid {
        var known = directories.get(path);
        if (known != null) {
            return known;
        }
        if (path.chars().filter(c -> c == '/').count() > MAX_DEPTH) {
            throw new EngineException.Invalid("the context is deeper than " + MAX_DEPTH + " directories");
        }
        hold(path, DIRECTORY_BYTES);
        var made = new Entry(Node.directory(path, Node.Owner.ROOT, 0755, new Node.Time(0, 0)));
        made.implied = true;
        int slash = path.lastIndexOf('/');
        directory(slash < 0 ? "" : path.substring(0, slash)).children.put(path.substring(slash + 1), made);
        directories.put(path, made);
        return made;
    }

    /// Whether the directory at `path` was not named itself, but only what is in it.
    public boolean implied(String path) {
        return lookup(path).filter(entry -> entry.implied).isPresent();
    }

    /// Without following links.
    private Optional<Entry> lookup(String path) {
        int slash = path.lastIndexOf('/');
        var directory = directories.get(slash < 0 ? "" : path.substring(0, slash));
        return path.isEmpty() ? Optional.of(root)
                : Optional.ofNullable(directory == null ? null : directory.children.get(path.substring(slash + 1)));
    }

    private Optional<Entry> walk(String path, boolean last) {
        var left = new ArrayDeque<>(Arrays.asList(path.split("/")));
        var way = new ArrayDeque<Entry>();
        way.push(root);
        int links = 0;
        while (!left.isEmpty()) {
            String name = left.pop();
            if (name.isEmpty() || name.equals(".")) {
                continue;
            }
            if (name.equals("..")) {
                if (way.size() > 1) {
                    way.pop();
                }
                continue;
            }
            var next = way.element().children.get(name);
            if (next == null) {
                return Optional.empty();
            }
            boolean follow = next.node.type() == Node.Type.SYMLINK && (last || left.stream().anyMatch(n -> !n.isEmpty()));
            if (!follow) {
                way.push(next);
                continue;
            }
            if (++links > MAX_LINKS) {
                return Optional.empty();
            }
            String target = next.node.target();
            if (target.startsWith("/")) {
                while (way.size() > 1) {
                    way.pop();
                }
            }
            for (String part : List.of(target.split("/")).reversed()) {
                left.push(part);
            }
            if (left.size() > 100_000) {
                return Optional.empty();
            }
        }
        return Optional.of(way.element());
    }

    @Override
    public Optional<Node> follow(String path) {
        return walk(path, true).map(entry -> entry.node);
    }

    @Override
    public Optional<Node> find(String path) {
        return walk(path, false).map(entry -> entry.node);
    }

    @Override
    public List<Node> list(String directory) {
        var nodes = new ArrayList<Node>();
        lookup(directory).ifPresent(entry -> entry.children.values().forEach(child -> nodes.add(child.node)));
        return nodes;
    }

    private Entry entry(Node file) throws FileNotFoundException {
        var entry = lookup(file.path());
        if (entry.isEmpty()) {
            throw new FileNotFoundException(file.path());
        }
        return entry.get();
    }

    @Override
    public InputStream open(Node file) throws IOException {
        var entry = entry(file);
        if (file.size() == 0) {
            return new ByteArrayInputStream(new byte[0]);
        }
        if (entry.listed) {
            throw new ContextWanted("whoever reads " + file.path());
        }
        return new Section(spool, entry.offset, entry.node.size());
    }

    @Override
    public Digest content(Node file) throws IOException {
        var entry = entry(file);
        if (entry.listed && entry.known < 0) {
            throw new ContextWanted("the digest of " + file.path());
        }
        return entry.listed ? known.apply(entry.known) : entry.digest.orElseThrow(() -> new FileNotFoundException(file.path()));
    }

    /// The content of the file at `path`, if there is one.
    /// @throws EngineException.Invalid it is longer than `limitBytes`
    public Optional<byte[]> read(String path, int limitBytes) throws IOException, EngineException.Invalid {
        var node = follow(path).filter(found -> found.type() == Node.Type.FILE);
        if (node.isEmpty()) {
            return Optional.empty();
        }
        if (node.get().size() > limitBytes) {
            throw new EngineException.Invalid(path + " is longer than " + limitBytes + " bytes");
        }
        try (var in = open(node.get())) {
            return Optional.of(in.readAllBytes());
        }
    }

    /// Leaves out what `patterns` do.
    public void remove(IgnorePatterns patterns) {
        if (!patterns.isEmpty()) {
            remove(root, patterns);
        }
    }

    private boolean remove(Entry directory, IgnorePatterns patterns) {
        directory.children.values().removeIf(child -> {
            boolean emptied = child.node.isDirectory() && remove(child, patterns);
            return patterns.matches(child.node.path()) && (!child.node.isDirectory() || emptied);
        });
        return directory.children.isEmpty();
    }

    /// How many files and directories came.
    public int size() {
        return entries;
    }

    /// How many bytes their contents have.
    public long bytes() {
        return length;
    }

    @Override
    public void close() throws IOException {
        memory.close();
        spool.close();
    }

    /// A part of the spool.
    private static final class Section extends InputStream {
        private final FileChannel channel;
        private long at;
        private final long end;

        Section(FileChannel channel, long offset, long length) {
            this.channel = channel;
            this.at = offset;
            this.end = offset + length;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int count) throws IOException {
            if (at >= end) {
                return -1;
            }
            int wanted = (int) Math.min(count, end - at);
            int read = channel.read(ByteBuffer.wrap(buffer, offset, wanted), at);
            if (read < 0) { // behind the last byte that is none of zeros
                Arrays.fill(buffer, offset, offset + wanted, (byte) 0);
                read = wanted;
            }
            at += read;
            return read;
        }
    }
}
