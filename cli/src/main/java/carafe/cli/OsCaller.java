package carafe.cli;

import carafe.cli.session.Caller;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The user that this process runs as. Source: proc_pid(5), the owner of /proc/pid.
final class OsCaller implements Caller {

    @Override
    public Ids ids() throws IOException {
        var owner = Files.readAttributes(Path.of("/proc/self"), "unix:uid,gid");
        return new Ids((Integer) owner.get("uid"), (Integer) owner.get("gid"));
    }
}
