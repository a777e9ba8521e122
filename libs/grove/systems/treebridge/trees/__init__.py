"""Balanced trees over item vectors; their paths are the codes that a generator is trained on."""

from grove.systems.treebridge.trees.build import build_tree
from grove.systems.treebridge.trees.files import codes_table, load_tree, save_tree
from grove.systems.treebridge.trees.growth import append, keep_items
from grove.systems.treebridge.trees.kmeans import balanced_kmeans
from grove.systems.treebridge.trees.quality import code_churn, tree_quality
from grove.systems.treebridge.trees.shape import TreeShape
from grove.systems.treebridge.trees.tree import Tree, leaves_of_paths, paths_of_leaves

__all__ = [
    "Tree",
    "TreeShape",
    "append",
    "balanced_kmeans",
    "build_tree",
    "code_churn",
    "codes_table",
    "keep_items",
    "leaves_of_paths",
    "load_tree",
    "paths_of_leaves",
    "save_tree",
    "tree_quality",
]
