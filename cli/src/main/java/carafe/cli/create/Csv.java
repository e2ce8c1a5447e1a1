package carafe.cli.create;

import carafe.cli.flag.FlagException;
import java.util.List;

/// The fields of an option of `run` and `create`, as [carafe.cli.flag.Csv] reads them.
final class Csv {

    private Csv() {}

    static List<String> fields(String line) throws CreateException {
        try {
            return carafe.cli.flag.Csv.fields(line);
        } catch (FlagException e) {
            throw new CreateException(String.valueOf(e.getMessage()));
        }
    }
}
