package carafe.files;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class MemoryQuotasTest extends QuotasContract {

    @TempDir
    private Path place;

    @Override
    Path place() {
        return place;
    }

    @Override
    DirectoryQuotas quotas(Path root) {
        var quotas = new MemoryQuotas();
        quotas.enforce();
        return quotas;
    }
}
