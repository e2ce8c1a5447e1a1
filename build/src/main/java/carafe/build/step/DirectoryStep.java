package carafe.build.step;

import carafe.build.plan.Operation;
import carafe.build.tree.FileSource;
import carafe.build.tree.LayerMember;
import carafe.build.tree.Node;
import carafe.spec.EngineException;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// WORKDIR: the directory, where it is not there yet.
public final class DirectoryStep {

    private DirectoryStep() {}

    /// The members of the layer that makes the directory on top of `root`; none when it is there.
    public static Collection<LayerMember> members(Operation.MakeDirectory make, FileSource root, Node.Time now)
            throws IOException, EngineException {
        var owner = new Users(root).find(make.user());
        var draft = new LayerDraft(Optional.of(root), owner, now);
        String path = draft.resolve(make.path().substring(1));
        if (path.isEmpty() || root.find(path).filter(Node::isDirectory).isPresent()) {
            return List.of();
        }
        draft.directory(path);
        return draft.members();
    }
}
