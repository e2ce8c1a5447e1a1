package carafe.build.tree;

import java.io.IOException;

/// A file's content is needed of a context that was only listed: the build cannot go on without the whole context.
public final class ContextWanted extends IOException {

    /// `what` needs it.
    public ContextWanted(String what) {
        super("the context is only listed, and " + what + " needs its files");
    }
}
