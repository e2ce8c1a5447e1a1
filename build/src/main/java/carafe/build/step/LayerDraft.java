package carafe.build.step;

import carafe.build.tree.FileSource;
import carafe.build.tree.LayerMember;
import carafe.build.tree.Node;
import carafe.spec.EngineException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The members of a layer that is put together on top of a root: parents come by themselves, as they are in the root,
/// or new. No path goes through a link unseen: [#resolve] finds where a path really is, inside.
final class LayerDraft {

    private static final int MAX_LINKS = 40;

    private final Optional<? extends FileSource> root;
    private final Node.Owner newParents;
    private final Node.Time now;
    private final Map<String, LayerMember> members = new LinkedHashMap<>();
    /// Directories that the root does not have, so that nothing in them can be there either.
    private final Set<String> fresh = new HashSet<>();

    /// A draft on `root`; without one (`--link`) every parent is new and only the draft's own links are
    /// followed. New parents belong to `newParents` and are of `now`.
    LayerDraft(Optional<? extends FileSource> root, Node.Owner newParents, Node.Time now) {
        this.root = root;
        this.newParents = newParents;
        this.now = now;
    }

    /// Where the cleaned `path` is once the links of the root, and of this draft before them, are followed; names that are
    /// not there yet stay as they are.
    String resolve(String path) throws IOException, EngineException {
        String at = "";
        int links = 0;
        var left = new ArrayDeque<>(List.of(path.split("/")));
        while (!left.isEmpty()) {
            String name = left.pop();
            if (name.isEmpty() || name.equals(".")) {
                continue;
            }
            if (name.equals("..")) {
                at = parent(at);
                continue;
            }
            String next = at.isEmpty() ? name : at + "/" + name;
            var link = there(next).filter(node -> node.type() == Node.Type.SYMLINK);
            if (link.isEmpty()) {
                at = next;
                continue;
            }
            if (++links > MAX_LINKS) {
                throw new EngineException.Invalid("too many links on the way to /" + path);
            }
            String target = link.get().target();
            at = target.startsWith("/") ? "" : at;
            for (String part : List.of(target.split("/")).reversed()) {
                left.push(part);
            }
        }
        return at;
    }

    /// What the root, or this draft, has at `path`.
    Optional<Node> there(String path) throws IOException {
        var member = members.get(path);
        if (member != null) {
            return Optional.of(member.node());
        }
        return root.isEmpty() || fresh.contains(parent(path)) ? Optional.empty()
                : root.get().find(path).map(node -> node.at(path));
    }

    /// Adds a member, and its parents where they are not here yet.
    /// @throws EngineException.Invalid a parent is no directory, or a file would replace a directory or the other way round
    void add(LayerMember member) throws IOException, EngineException {
        String path = member.node().path();
        if (member.node().isDirectory() && there(path).filter(node -> !node.isDirectory()).isPresent()) {
            throw new EngineException.Invalid("cannot copy to non-directory: /" + path + " is "
                    + (there(path).orElseThrow().type() == Node.Type.SYMLINK ? "a link" : "a file")
                    + ", and a directory is to be there; remove it before, or copy to where it leads");
        }
        addUnpacked(member);
    }

    /// The same of an archive's member: a directory that the archive names takes a file's or link's place.
    void addUnpacked(LayerMember member) throws IOException, EngineException {
        String path = member.node().path();
        LayerMember.refuseWhiteout(path);
        parents(path);
        if (member.node().isDirectory()) {
            if (there(path).filter(Node::isDirectory).isEmpty()) {
                fresh.add(path);
            }
            members.put(path, member);
            return;
        }
        if (there(path).filter(Node::isDirectory).isPresent()) {
            throw new EngineException.Invalid("cannot copy a file over the directory /" + path);
        }
        members.put(path, member);
    }

    /// Sees to it that the directory is there; one that is keeps what it has.
    void directory(String path) throws IOException, EngineException {
        if (path.isEmpty()) {
            return;
        }
        var there = there(path);
        if (members.containsKey(path) && there.filter(Node::isDirectory).isPresent()) {
            return;
        }
        parents(path);
        if (there.isPresent() && !there.get().isDirectory()) {
            throw new EngineException.Invalid("cannot make the directory /" + path + ": a file is there");
        }
        if (there.isEmpty()) {
            LayerMember.refuseWhiteout(path);
            fresh.add(path);
        }
        var node = there.orElseGet(() -> Node.directory(path, newParents, 0755, now));
        members.put(path, LayerMember.of(node, LayerMember.Content.NONE));
    }

    private void parents(String path) throws IOException, EngineException {
        directory(parent(path));
    }

    private static String parent(String path) {
        return path.substring(0, Math.max(0, path.lastIndexOf('/')));
    }

    /// All members, parents first. Names of one file, if several were copied, become names of one file.
    Collection<LayerMember> members() {
        var first = new HashMap<Node.Inode, String>();
        members.replaceAll((path, member) -> {
            var other = member.node().inode().map(inode -> first.putIfAbsent(inode, path));
            return other.isEmpty() ? member
                    : new LayerMember(member.node(), LayerMember.Content.NONE, other, Optional.empty());
        });
        return members.values();
    }
}
