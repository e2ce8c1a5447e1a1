package carafe.network.port;

import org.junit.jupiter.api.Tag;

/// The same on a kernel before 6.6, which shows packets to programs by a queueing discipline only: the virtual machine's.
@Tag("modules")
class OlderKernelTranslatorTest extends TranslatorTest {}
