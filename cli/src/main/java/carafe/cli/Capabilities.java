package carafe.cli;

import java.io.IOException;
import java.util.List;

/// Finds the capabilities of files, which Java does not tell. Texts are as [carafe.cli.session.PathText] has them. Any thread
/// may ask.
@FunctionalInterface
public interface Capabilities {

    /// The `security.capability` of each of these names in `directory`, in their order; empty for those that have none or are
    /// gone. Source: getxattr(2), capabilities(7).
    List<byte[]> of(String directory, List<String> names) throws IOException;
}
