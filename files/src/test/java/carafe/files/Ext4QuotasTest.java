package carafe.files;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;

/// Needs a host whose kernel has quotas: VmTest of e2e runs it in the virtual machine.
@Tag("quota")
class Ext4QuotasTest extends HostQuotasContract {

    @Override
    Path place() {
        return Path.of("/mnt/ext4");
    }
}
