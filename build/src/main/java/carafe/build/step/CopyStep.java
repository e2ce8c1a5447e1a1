package carafe.build.step;

import carafe.build.plan.Operation;
import carafe.build.tree.Closing;
import carafe.build.tree.ContextArchive;
import carafe.build.tree.FileSource;
import carafe.build.tree.LayerMember;
import carafe.build.tree.Node;
import carafe.build.tree.Scratch;
import carafe.image.TarArchive;
import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Digest;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// COPY and ADD: what is selected becomes the members of a layer, at the places the destination leads to. No process
/// runs, nothing is written into a root; the root is only looked at.
public final class CopyStep implements AutoCloseable {

    private static final int HEAD_BYTES = 512;

    private final Operation.Copy copy;
    private final Scratch scratch;
    private final List<Part> parts = new ArrayList<>();
    private final List<ContextArchive> unpacked = new ArrayList<>();
    /// What was selected of those; the layer's members hold it.
    private final List<Selection> members = new ArrayList<>();

    /// What is selected of one source; `archives` are unpacked, if the options say nothing else.
    private record Part(FileSource source, Selection selection, boolean archives) {}

    private CopyStep(Operation.Copy copy, Scratch scratch) {
        this.copy = copy;
        this.scratch = scratch;
    }

    /// Selects what `copy` takes from `source`, which stays the caller's. Archives to unpack are spooled in `scratch`.
    /// `keepOwners`: files belong to whom they belong in the source, not to root.
    public static CopyStep select(Operation.Copy copy, FileSource source, boolean keepOwners, Scratch scratch)
            throws IOException, EngineException {
        var step = new CopyStep(copy, scratch);
        step.parts.add(new Part(source, Selection.of(source, copy, keepOwners, scratch.memory()), copy.add()));
        return step;
    }

    /// One that takes from several sources, in the order in which they are added; none yet.
    public static CopyStep of(Operation.Copy copy, Scratch scratch) {
        return new CopyStep(copy, scratch);
    }

    /// Takes what `path` (or a pattern) means in `source`, which stays the caller's. Owners are root's.
    public void take(String path, FileSource source) throws IOException, EngineException {
        var one = new Operation.Copy(copy.add(), copy.from(), List.of(path), List.of(), copy.destination(), copy.options());
        parts.add(new Part(source, Selection.of(source, one, false, scratch.memory()), copy.add()));
    }

    /// Takes one file of `source`, which stays the caller's, under `name`; it is not unpacked unless that is asked for.
    public void takeFile(FileSource source, Node file, String name) throws EngineException {
        parts.add(new Part(source, Selection.ofFile(source, file, name, copy, scratch.memory()), false));
    }

    /// The digest of what is selected: everything that the layer depends on but times.
    public Digest digest() throws IOException {
        if (parts.size() == 1) {
            return parts.getFirst().selection.digest();
        }
        var all = new StringBuilder();
        for (var part : parts) {
            all.append(part.selection.digest().hex());
        }
        return Digest.sha256(all.toString().getBytes(StandardCharsets.US_ASCII));
    }

    /// How many files and directories are selected.
    public int files() {
        return parts.stream().mapToInt(part -> part.selection.files()).sum();
    }

    /// The digest of each file selected, by path.
    public Map<String, String> fingerprints() throws IOException {
        var all = new TreeMap<String, String>();
        for (var part : parts) {
            all.putAll(part.selection.fingerprints());
        }
        return all;
    }

    /// The members of the layer on top of `root` (empty with --link). New directories are of `now`; no time is later
    /// than `latest`, if that is given.
    public Collection<LayerMember> members(Optional<? extends FileSource> root, Node.Time now, Optional<Node.Time> latest)
            throws IOException, EngineException {
        Optional<Node.Owner> owner = Optional.empty();
        if (copy.options().owner().isPresent()) {
            String text = copy.options().owner().get();
            if (root.isEmpty() && !text.matches("\\d{1,9}(:\\d{1,9})?")) {
                throw new EngineException.Invalid("--link with --chown=" + text + ": names cannot be looked up in a layer"
                        + " that depends on nothing below; use numbers");
            }
            owner = Optional.of(root.isEmpty() ? numbers(text) : new Users(root.get()).find(text));
        }
        var draft = new LayerDraft(root, owner.orElse(Node.Owner.ROOT), now);
        var writing = new Writing(draft, owner, copy.options().mode().map(FileMode::new), now, latest, new HashMap<>());
        for (var part : parts) {
            for (var found : part.selection.found()) {
                place(part, found, writing);
            }
        }
        for (var inline : copy.inline()) {
            byte[] content = inline.content().getBytes(StandardCharsets.UTF_8);
            String path = target(draft, inline.name());
            var node = new Node(path, Node.Type.FILE, Node.Owner.ROOT, 0644, content.length, now, "", Map.of());
            draft.add(LayerMember.of(writing.dressed(node), content));
        }
        return draft.members();
    }

    private static Node.Owner numbers(String text) {
        int colon = text.indexOf(':');
        int uid = Integer.parseInt(colon < 0 ? text : text.substring(0, colon));
        return new Node.Owner(uid, colon < 0 ? uid : Integer.parseInt(text.substring(colon + 1)));
    }

    /// A file of several names in what is copied together.
    private record Shared(Object from, Node.Inode inode) {}

    /// What members are given on their way; `shared` numbers files that may have several names in the layer.
    private record Writing(LayerDraft draft, Optional<Node.Owner> owner, Optional<FileMode> mode, Node.Time now,
            Optional<Node.Time> latest, Map<Shared, Node.Inode> shared) {

        /// The same for a file of `from`, in which alone it can have other names.
        Node dressed(Node node, Object from) {
            var dressed = dressed(node);
            return node.inode().isEmpty() ? dressed : dressed.named(shared.computeIfAbsent(
                    new Shared(from, node.inode().get()), _ -> new Node.Inode(0, shared.size())));
        }

        Node dressed(Node node) {
            var result = owner.isPresent() ? node.ownedBy(owner.get()) : node;
            if (mode.isPresent() && node.type() != Node.Type.SYMLINK) {
                result = result.withMode(mode.get().apply(node.mode(), node.isDirectory()));
            }
            return latest.isPresent() && later(node.modified(), latest.get()) ? result.changedAt(latest.get()) : result;
        }

        private static boolean later(Node.Time one, Node.Time other) {
            return one.seconds() > other.seconds() || one.seconds() == other.seconds() && one.nanos() > other.nanos();
        }
    }

    /// Where a file called `name` goes: into the destination where that is a directory, else to it.
    private String target(LayerDraft draft, String name) throws IOException, EngineException {
        String destination = IgnorePatterns.clean(copy.destination());
        String resolved = draft.resolve(destination);
        boolean directory = copy.destination().endsWith("/") || resolved.isEmpty()
                || draft.there(resolved).filter(Node::isDirectory).isPresent();
        if (!directory) {
            return resolved;
        }
        String inside = resolved.isEmpty() ? name : resolved + "/" + name;
        return inside; // a link of that name is replaced
    }

    private void place(Part part, Selection.Found found, Writing writing) throws IOException, EngineException {
        var source = part.source;
        var top = found.top();
        String destination = IgnorePatterns.clean(copy.destination());
        for (var above : found.above()) {
            directory(writing.draft.resolve(joined(destination, above.path())), above.node(), writing);
        }
        String inside = writing.draft.resolve(joined(destination, found.parents()));
        if (top.isDirectory()) {
            String directory = inside;
            directory(directory, top, writing);
            contents(directory, found.below(), part, writing);
            return;
        }
        if (top.type() == Node.Type.SPECIAL) {
            throw new EngineException.Invalid("cannot copy " + top.path() + ": it is a device, pipe or socket");
        }
        if (copy.add() && copy.options().unpack().orElse(part.archives) && isArchive(source, top)) {
            unpack(source, top, writing);
            return;
        }
        String path = found.parents().isEmpty() ? target(writing.draft, found.name()) : joined(inside, found.name());
        writing.draft.add(LayerMember.of(writing.dressed(top.at(path), part), () -> source.open(top)));
    }

    private static String joined(String one, String other) {
        return one.isEmpty() ? other : other.isEmpty() ? one : one + "/" + other;
    }

    /// A directory that is there keeps what it has, a new one is like the one copied.
    private static void directory(String path, Node like, Writing writing) throws IOException, EngineException {
        if (path.isEmpty()) {
            return;
        }
        var there = writing.draft.there(path);
        if (there.isPresent()) {
            writing.draft.directory(path);
        } else {
            writing.draft.add(LayerMember.of(writing.dressed(like.at(path)), LayerMember.Content.NONE));
        }
    }

    private static void contents(String directory, List<Selection.Relative> below, Part part, Writing writing)
            throws IOException, EngineException {
        var from = part.source;
        for (var relative : below) {
            var node = relative.node();
            String path = joined(directory, relative.path());
            LayerMember.Content content = node.type() == Node.Type.FILE ? () -> from.open(node) : LayerMember.Content.NONE;
            writing.draft.add(LayerMember.of(writing.dressed(node.at(path), part), content));
        }
    }

    private static boolean isArchive(FileSource source, Node file) throws IOException {
        if (file.size() == 0) {
            return false;
        }
        try (var in = source.open(file)) {
            return TarArchive.begins(in.readNBytes(HEAD_BYTES));
        }
    }

    private void unpack(FileSource source, Node file, Writing writing) throws IOException, EngineException {
        ContextArchive archive;
        try (var in = source.open(file)) {
            archive = ContextArchive.read(in, scratch);
        } catch (EngineException.Invalid e) {
            throw new EngineException.Invalid("ADD failed: cannot unpack " + file.path() + ": " + e.getMessage());
        }
        unpacked.add(archive);
        var all = new Operation.Copy(false, copy.from(), List.of(""), List.of(), copy.destination(), Operation.Options.NONE);
        String directory = writing.draft.resolve(IgnorePatterns.clean(copy.destination()));
        writing.draft.directory(directory);
        var selection = Selection.of(archive, all, true, scratch.memory());
        members.add(selection);
        for (var found : selection.found()) {
            unpack(directory, found.below(), archive, writing);
        }
    }

    /// Directories that the archive does not name itself, but only by what is in them, are where the root's links lead;
    /// inside, as the root is only looked at.
    private static void unpack(String directory, List<Selection.Relative> below, ContextArchive from, Writing writing)
            throws IOException, EngineException {
        var places = new HashMap<String, String>(); // where directories are, by the archive's paths
        places.put("", directory);
        for (var relative : below) {
            int slash = relative.path().lastIndexOf('/');
            String parent = places.getOrDefault(relative.path().substring(0, Math.max(0, slash)), directory);
            String path = joined(parent, relative.path().substring(slash + 1));
            var node = relative.node();
            if (node.isDirectory() && from.implied(node.path())) {
                path = writing.draft.resolve(path);
                writing.draft.directory(path);
            } else {
                LayerMember.Content content = node.type() == Node.Type.FILE ? () -> from.open(node) : LayerMember.Content.NONE;
                writing.draft.addUnpacked(LayerMember.of(writing.dressed(node.at(path), from), content));
            }
            if (node.isDirectory()) {
                places.put(relative.path(), path);
            }
        }
    }

    /// What each path's digest was, and is: for people who ask why a step ran again.
    public static Map<String, String> changes(Map<String, String> before, Map<String, String> after) {
        var changes = new TreeMap<String, String>();
        after.forEach((path, digest) -> {
            String old = before.get(path);
            if (old == null) {
                changes.put(path, "added");
            } else if (!old.equals(digest)) {
                changes.put(path, "changed");
            }
        });
        before.keySet().stream().filter(path -> !after.containsKey(path)).forEach(path -> changes.put(path, "removed"));
        return changes;
    }

    @Override
    public void close() throws IOException {
        var all = new ArrayList<Closeable>();
        parts.forEach(part -> all.add(part.selection::close));
        members.forEach(selection -> all.add(selection::close));
        unpacked.forEach(archive -> all.add(archive::close));
        Closing.all(all);
    }
}
