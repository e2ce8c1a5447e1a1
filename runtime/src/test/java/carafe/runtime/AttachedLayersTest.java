package carafe.runtime;

/// The same on a kernel before Linux 6.15, whose overlays take attached layers alone.
class AttachedLayersTest extends UserNamespacesTest {

    @Override
    Assembly assembly() {
        return Assembly.ATTACHED;
    }
}
