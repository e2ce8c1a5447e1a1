package carafe.cli;

import carafe.cli.session.Caller;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/// The user that this process runs as. Source: proc_pid(5), the owner of /proc/pid.
final class OsCaller implements Caller {

    @Override
    public Ids ids() throws IOException {
        var owner = Files.readAttributes(Path.of("/proc/self"), "unix:uid,gid");
        return new Ids(number(owner, "uid"), number(owner, "gid"));
    }

    private static int number(Map<String, Object> owner, String name) {
        return (Integer) Objects.requireNonNull(owner.get(name));
    }
}
