"""The assignment `architectures`: LeNet-5, AlexNet, VGG, GoogLeNet and ResNet as plain torch modules."""
