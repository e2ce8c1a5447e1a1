package carafe.cli.session;

import java.io.IOException;

/// Who gives the command, which may be another user than that of the process that performs it.
@FunctionalInterface
public interface Caller {

    /// His user and group. Does not block.
    /// @throws IOException that cannot be found out; the message says why
    Ids ids() throws IOException;

    /// Numbers of a user and his group on the host; 0 is root.
    record Ids(int uid, int gid) {}
}
