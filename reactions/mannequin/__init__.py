"""Synthetic people: posable, lit and drawn in numpy, so that the real models see people in them.

picture = render(CAST["Amara"], POSES["thumbs_up"], Scene(yaw=10))
"""

from reactions.mannequin.choreography import Choreography, Hold, demonstration, idle
from reactions.mannequin.hand import FingerPose, HandShape, Thumb, hand_joints
from reactions.mannequin.person import CAST, MONK, Hair, Person, Top
from reactions.mannequin.pose import Arm, FacePose, Pose, blend_poses, facing
from reactions.mannequin.poses import LOOKALIKES, POSES, moving
from reactions.mannequin.render import landmarks, render
from reactions.mannequin.scene import FAR, MEDIUM, NEAR, Background, Scene

__all__ = [
    "CAST",
    "FAR",
    "LOOKALIKES",
    "MEDIUM",
    "MONK",
    "NEAR",
    "POSES",
    "Arm",
    "Background",
    "Choreography",
    "FacePose",
    "FingerPose",
    "Hair",
    "HandShape",
    "Hold",
    "Person",
    "Pose",
    "Scene",
    "Thumb",
    "Top",
    "blend_poses",
    "demonstration",
    "facing",
    "hand_joints",
    "idle",
    "landmarks",
    "moving",
    "render",
]
