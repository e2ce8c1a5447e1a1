package carafe.cli.create;

import carafe.cli.flag.FlagException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.List;

/// Limits of processes as people type them, `nofile=1024:2048`.
public final class Ulimits {

    private Ulimits() {}

    /// The limits as Docker's API has them, in the order of their names; of two with one name the last counts.
    public static Json document(List<String> typed) throws FlagException {
        var checked = new ArrayList<String>();
        for (String one : typed) {
            checked.add(Checks.ulimit(one));
        }
        return Devices.ulimits(checked);
    }
}
