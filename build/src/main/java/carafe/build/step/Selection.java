package carafe.build.step;

import carafe.build.plan.Operation;
import carafe.build.tree.FileSource;
import carafe.build.tree.IndexMemory;
import carafe.build.tree.Node;
import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.build.PathPattern;
import carafe.spec.oci.Digest;
import carafe.spec.tar.TarText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The files that a COPY or ADD takes from a source: for each of its sources the file or directory found, and all that
/// is in it. Links are followed where a source itself is one, never below. Owners are root's unless `keepOwners`.
final class Selection implements AutoCloseable {

    private static final int MAX_FILES = 4_000_000;
    /// Bytes of memory, about, that one file needs beside its path until it is in the layer.
    private static final int FILE_BYTES = 450;
    private static final int MAX_DEPTH = 1024;

    /// One source that was found: what it is, the name it was found by, the directories that are to be made above it
    /// (with `--parents`, else none) and were above none before it, and what is below it with paths relative to it, parents
    /// first. `parents` says where a directory's content goes below the destination, or a file.
    record Found(Node top, String name, String parents, List<Relative> above, List<Relative> below) {}

    /// A node at a path below its top.
    record Relative(String path, Node node) {}

    private final FileSource source;
    private final Operation.Copy copy;
    private final boolean keepOwners;
    private final IgnorePatterns excluded;
    private final List<Found> found = new ArrayList<>();
    /// Where directories go that are above what was found.
    private final Set<String> madeAbove = new HashSet<>();
    private final IndexMemory.Share memory;
    private int count;

    private Selection(FileSource source, Operation.Copy copy, boolean keepOwners, IndexMemory memory)
            throws EngineException.Invalid {
        this.source = source;
        this.copy = copy;
        this.keepOwners = keepOwners;
        this.excluded = IgnorePatterns.of(copy.options().excludes());
        this.memory = memory.share();
    }

    /// Selects. The index has a share of `memory` until it is closed.
    /// @throws EngineException.Invalid a source is not there, or there are more files than the memory holds
    static Selection of(FileSource source, Operation.Copy copy, boolean keepOwners, IndexMemory memory)
            throws IOException, EngineException {
        var selection = new Selection(source, copy, keepOwners, memory);
        boolean whole = false;
        try {
            for (String path : copy.sources()) {
                selection.add(path);
            }
            whole = true;
            return selection;
        } finally {
            if (!whole) {
                selection.close();
            }
        }
    }

    /// Selects one file, found by `name` whatever its path in the source is.
    static Selection ofFile(FileSource source, Node file, String name, Operation.Copy copy, IndexMemory memory)
            throws EngineException {
        var selection = new Selection(source, copy, false, memory);
        selection.count(file);
        selection.found.add(new Found(selection.owned(file), name, "", List.of(), List.of()));
        return selection;
    }

    List<Found> found() {
        return found;
    }

    int files() {
        return count;
    }

    private void add(String written) throws IOException, EngineException {
        int pivot = copy.options().parents() ? written.indexOf("/./") : -1;
        String prefix = pivot < 0 ? "" : written.substring(0, pivot);
        String base = prefix.equals(".") ? "" : prefix;
        String path = IgnorePatterns.clean(written);
        if (!PathPattern.isPattern(path)) {
            var node = source.follow(path);
            if (node.isEmpty()) {
                throw missing(path);
            }
            add(path, base, node.get());
            return;
        }
        var matches = new TreeMap<String, Node>();
        expand("", List.of(path.split("/")), 0, matches); // perhaps none: `COPY a lock* /x/` copies the lock where there is one
        for (var match : matches.entrySet()) {
            add(match.getKey(), base, match.getValue());
        }
    }

    private EngineException.Invalid missing(String path) {
        return new EngineException.Invalid((copy.add() ? "ADD" : "COPY") + " failed: file not found in "
                + (keepOwners ? "the source" : "build context or excluded by .dockerignore") + ": stat "
                + (path.isEmpty() ? "/" : path) + ": file does not exist");
    }

    /// Goes down the pattern name by name; `**` stands for any number of directories.
    private void expand(String at, List<String> names, int index, TreeMap<String, Node> matches)
            throws IOException, EngineException {
        if (index == names.size()) {
            source.follow(at).ifPresent(node -> matches.put(at, node));
            return;
        }
        if (names.size() > 64 || matches.size() > MAX_FILES) {
            throw new EngineException.Invalid("the pattern " + String.join("/", names) + " is too much");
        }
        String name = names.get(index);
        if (!PathPattern.isPattern(name)) {
            String next = at.isEmpty() ? name : at + "/" + name;
            if (source.follow(next).isPresent()) {
                expand(next, names, index + 1, matches);
            }
            return;
        }
        var directory = source.follow(at).filter(Node::isDirectory);
        if (directory.isEmpty()) {
            return;
        }
        boolean deep = name.equals("**");
        var pattern = PathPattern.parse(name);
        if (deep) {
            expand(at, names, index + 1, matches);
        }
        for (var child : source.list(directory.get().path())) {
            String next = at.isEmpty() ? child.name() : at + "/" + child.name();
            if (deep && child.isDirectory()) {
                expand(next, names, index, matches);
            } else if (deep ? index == names.size() - 1 : pattern.matches(child.name())) {
                expand(next, names, index + 1, matches);
            }
        }
    }

    private void add(String path, String base, Node node) throws IOException, EngineException {
        var below = new ArrayList<Relative>();
        if (node.isDirectory()) {
            below(node, "", below, 0);
        } else if (excluded.matches(node.name()) || excluded.matches(path)) {
            return;
        }
        count(node);
        String parents = "";
        List<Relative> above = List.of();
        if (copy.options().parents()) {
            String relative = path.equals(base) ? "" : base.isEmpty() || !path.startsWith(base + "/") ? path
                    : path.substring(base.length() + 1);
            parents = node.isDirectory() ? relative : relative.substring(0, Math.max(0, relative.lastIndexOf('/')));
            above = above(path.substring(0, path.length() - relative.length()), relative);
        }
        String name = path.substring(path.lastIndexOf('/') + 1);
        found.add(new Found(owned(node), name, parents, above, below));
    }

    /// The directories on the way from `base`, which ends in a slash or is empty, to `relative`, outermost first. Of those
    /// that go to one place the first is all that counts.
    private List<Relative> above(String base, String relative) throws IOException, EngineException {
        var above = new ArrayList<Relative>();
        for (int slash = relative.lastIndexOf('/'); slash >= 0; slash = relative.lastIndexOf('/', slash - 1)) {
            String path = relative.substring(0, slash);
            if (!madeAbove.add(path)) {
                break; // and so are those above it
            }
            var node = source.follow(base + path);
            if (node.isPresent()) {
                count(node.get());
                above.add(new Relative(path, owned(node.get())));
            }
        }
        return above.reversed();
    }

    private void below(Node directory, String prefix, List<Relative> into, int depth) throws IOException, EngineException {
        if (depth > MAX_DEPTH) {
            throw new EngineException.Invalid("directories to copy are nested deeper than " + MAX_DEPTH);
        }
        for (var child : source.list(directory.path())) {
            String path = prefix.isEmpty() ? child.name() : prefix + "/" + child.name();
            boolean out = excluded.matches(path);
            if (child.isDirectory()) {
                int before = into.size();
                if (!out) {
                    count(child);
                    into.add(new Relative(path, owned(child)));
                    below(child, path, into, depth + 1);
                } else if (excluded.hasExceptions()) {
                    below(child, path, into, depth + 1);
                    if (into.size() > before) {
                        into.add(before, new Relative(path, owned(child)));
                    }
                }
            } else if (!out && child.type() != Node.Type.SPECIAL) {
                count(child);
                into.add(new Relative(path, owned(child)));
            }
        }
    }

    private Node owned(Node node) {
        return keepOwners ? node : node.ownedBy(Node.Owner.ROOT);
    }

    private void count(Node node) throws EngineException.Invalid {
        count++;
        if (!memory.hold(FILE_BYTES + 2L * node.path().length())) {
            throw new EngineException.Invalid((copy.add() ? "ADD" : "COPY") + " failed: more files than the engine's memory"
                    + " holds: " + count + " until " + node.path() + memory.others() + "; copy fewer in one step");
        }
    }

    /// Gives the index's memory back.
    @Override
    public void close() {
        memory.close();
    }

    /// The digest of all that is selected: names, kinds, modes, owners, attributes, links, contents, and which of the names
    /// are those of one file; no times.
    Digest digest() throws IOException {
        var hash = new Facts();
        var first = new HashMap<Node.Inode, Integer>();
        int number = 0;
        for (var each : found) {
            hash.add("top " + each.parents + " " + each.name);
            for (var relative : each.above) {
                feed(hash, relative.path, relative.node);
            }
            feed(hash, "", each.top);
            again(hash, each.top, first, number++);
            for (var relative : each.below) {
                feed(hash, relative.path, relative.node);
                again(hash, relative.node, first, number++);
            }
        }
        return hash.digest();
    }

    private static <T> void again(Facts hash, Node node, Map<Node.Inode, T> first, T name) {
        if (node.inode().isPresent()) {
            var other = first.putIfAbsent(node.inode().get(), name);
            if (other != null) {
                hash.add("another name of " + other);
            }
        }
    }

    /// The digest of each file and directory, by its path in the source, with `\xff` for a byte that is no UTF-8; what
    /// tells people which one changed.
    TreeMap<String, String> fingerprints() throws IOException {
        var all = new TreeMap<String, String>();
        var first = new HashMap<Node.Inode, String>();
        for (var each : found) {
            for (var relative : each.above) {
                all.put(shown(relative.node.path()), fingerprint(relative.node, first));
            }
            all.put(shown(each.top.path()), fingerprint(each.top, first));
            for (var relative : each.below) {
                all.put(shown(relative.node.path()), fingerprint(relative.node, first));
            }
        }
        return all;
    }

    private static String shown(String path) {
        return path.codePoints().noneMatch(Selection::isHalf) ? path : path.codePoints()
                .mapToObj(c -> isHalf(c) ? "\\x%02x".formatted(c & 0xFF) : Character.toString(c)).collect(Collectors.joining());
    }

    /// Half of a surrogate pair, alone: such a byte.
    private static boolean isHalf(int codePoint) {
        return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
    }

    private String fingerprint(Node node, Map<Node.Inode, String> first) throws IOException {
        var hash = new Facts();
        feed(hash, "", node);
        again(hash, node, first, node.path());
        return hash.digest().hex().substring(0, 16);
    }

    private void feed(Facts hash, String path, Node node) throws IOException {
        hash.add(path, hash.kind(node));
        if (!node.xattrs().isEmpty()) {
            new TreeMap<>(node.xattrs()).forEach((name, value) -> {
                hash.add(name);
                hash.addBytes(new byte[] {1});
                hash.addBytes(value);
            });
        }
        switch (node.type()) {
            case FILE -> hash.addPlain(source.content(node).hex());
            case SYMLINK -> hash.add(node.target());
            case DIRECTORY, SPECIAL -> hash.add("");
        }
    }

    /// A digest of many small pieces, which reach the hash function in few calls.
    private static final class Facts {
        private static final int CHUNK_BYTES = 32 << 10;
        private static final byte[] NOTHING = new byte[0];

        private final MessageDigest hash = Digest.Algorithm.SHA256.hasher();
        private byte[] waiting = new byte[512];
        private int count;
        private Node.@Nullable Type lastType;
        private int lastMode;
        private Node.@Nullable Owner lastOwner;
        private byte[] lastKind = NOTHING;

        /// A text, in the bytes that names have.
        void add(String text) {
            add(text, NOTHING);
        }

        /// A text of ASCII.
        void addPlain(String text) {
            add(text.getBytes(StandardCharsets.US_ASCII), NOTHING);
        }

        /// A text and what follows it, as one piece.
        void add(String text, byte[] rest) {
            add(TarText.encode(text), rest);
        }

        private void add(byte[] bytes, byte[] rest) {
            int length = bytes.length + rest.length;
            addBytes(new byte[] {(byte) (length >>> 24), (byte) (length >>> 16), (byte) (length >>> 8), (byte) length});
            addBytes(bytes);
            addBytes(rest);
        }

        void addBytes(byte[] piece) {
            if (count + piece.length > waiting.length) {
                if (count + piece.length > CHUNK_BYTES) {
                    hash.update(waiting, 0, count);
                    hash.update(piece);
                    count = 0;
                    return;
                }
                waiting = Arrays.copyOf(waiting, CHUNK_BYTES);
            }
            System.arraycopy(piece, 0, waiting, count, piece.length);
            count += piece.length;
        }

        /// What a node is, but for its name and content. Most are what the one before was.
        byte[] kind(Node node) {
            int mode = node.type() == Node.Type.SYMLINK ? 0 : node.mode();
            if (node.type() != lastType || mode != lastMode || node.owner() != lastOwner) {
                lastType = node.type();
                lastMode = mode;
                lastOwner = node.owner();
                lastKind = (" " + node.type() + " " + mode + " " + node.owner().uid() + ":" + node.owner().gid())
                        .getBytes(StandardCharsets.US_ASCII);
            }
            return lastKind;
        }

        Digest digest() {
            hash.update(waiting, 0, count);
            return Digest.finish(Digest.Algorithm.SHA256, hash.digest());
        }
    }
}
