package carafe.image;

/// In the form that works best here: a developer's kernel mounts files, that of the virtual machine mounts none.
class HostileChosenLayersTest extends HostileLayerContract {

    HostileChosenLayersTest() {
        super(UnpackedLayer.Form.CHOSEN);
    }
}
