package carafe.kernel;

import java.util.Optional;

final class JdkGzipTest extends GzipContract {
    @Override
    Optional<LibIsal> library() {
        return Optional.empty();
    }
}
